/** A JSON-RPC node that answers what a test says, over real HTTP: words and limits of nodes that there are. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export type RpcRequest = { method: string; params: unknown[] };
/** An error as nodes give it, or an HTTP status where they give that. */
export type RpcAnswer = { result: unknown } | { error: { code: number; message: string } } | { status: number };

export type RpcNode = { url: string; asked: RpcRequest[]; close(): void };

export async function startRpcNode(answer: (request: RpcRequest) => RpcAnswer): Promise<RpcNode> {
  const asked: RpcRequest[] = [];
  const server = createServer(async (request, response) => {
    const body = JSON.parse(Buffer.concat(await request.toArray()).toString());
    const requests = (Array.isArray(body) ? body : [body]) as (RpcRequest & { id: number })[];
    const answers = requests.map(({ id, method, params }) => {
      asked.push({ method, params });
      return { jsonrpc: "2.0", id, ...answer({ method, params }) };
    });
    const refused = answers.find((one) => "status" in one) as { status: number } | undefined;
    response.statusCode = refused?.status ?? 200;
    response.setHeader("content-type", refused ? "text/plain" : "application/json");
    response.end(refused ? "no" : JSON.stringify(Array.isArray(body) ? answers : answers[0]));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
