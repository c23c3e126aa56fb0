/** A JSON-RPC node before a real one, which passes on what is asked, or does what bad nodes do. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { RpcAnswer, RpcRequest } from "../../chain/rpc-node.ts";

/** `hang`: never answers. `cut`: breaks the connection off. */
export type Trouble = "hang" | "cut";

/** What comes of one request; `ask` asks the real node. */
export type Behaviour = (request: RpcRequest, ask: () => Promise<RpcAnswer>) => Promise<RpcAnswer | Trouble>;

export type Proxy = {
  url: string;
  /** From now on; as the real node does where nothing is given. */
  behave(behaviour?: Behaviour): void;
  /** How often a method was asked. */
  asked(method: string): number;
  close(): void;
};

const honest: Behaviour = (_request, ask) => ask();

export async function startProxy(nodeUrl: string): Promise<Proxy> {
  let behaviour = honest;
  const counts = new Map<string, number>();

  async function ask(request: RpcRequest): Promise<RpcAnswer> {
    const response = await fetch(nodeUrl, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, ...request }),
    });
    const { result, error } = (await response.json()) as { result: unknown; error?: { code: number; message: string } };
    return error ? { error } : { result };
  }

  async function answer({ method, params }: RpcRequest): Promise<RpcAnswer | Trouble> {
    counts.set(method, (counts.get(method) ?? 0) + 1);
    return behaviour({ method, params }, () => ask({ method, params }));
  }

  const server = createServer(async (request, response) => {
    try {
      const body = JSON.parse(Buffer.concat(await request.toArray()).toString());
      const requests = (Array.isArray(body) ? body : [body]) as (RpcRequest & { id: number })[];
      const answers = await Promise.all(requests.map(answer));
      if (answers.includes("hang")) return;
      if (answers.includes("cut")) return void request.socket.destroy();
      const refused = answers.find((one) => typeof one === "object" && "status" in one) as { status: number };
      response.setHeader("content-type", refused ? "text/plain" : "application/json");
      if (refused) return void response.writeHead(refused.status).end("no");
      const told = answers.map((one, i) => ({ jsonrpc: "2.0", id: requests[i]?.id, ...(one as object) }));
      response.end(JSON.stringify(Array.isArray(body) ? told : told[0]));
    } catch {
      // the real node, or whoever asked, is gone
      request.socket.destroy();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    behave(next = honest) {
      behaviour = next;
      server.closeAllConnections();
    },
    asked: (method) => counts.get(method) ?? 0,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
