/** Where tests publish to, and from where it is fetched again: a static host, and a bucket. */
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

export type Host = {
  url: string;
  /** false: it refuses connections' requests with 503 */
  up: boolean;
  /** what it serves instead, by path */
  forged: Map<string, Uint8Array>;
  /** paths asked for */
  asked: string[];
  /** It is gone: nothing listens at its URL until it comes back. */
  die(): Promise<void>;
  comeBack(): Promise<void>;
  close(): void;
};

/** Serves a folder's files, as a static host does. */
export async function hostOf(folder: string): Promise<Host> {
  const server: Server = createServer(async (request, response) => {
    const path = request.url ?? "/";
    host.asked.push(path);
    if (!host.up) return void response.writeHead(503).end("down");
    const file = host.forged.get(path) ?? (await readFile(join(folder, path)).catch(() => undefined));
    response.writeHead(file ? 200 : 404).end(file);
  });
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const host: Host = {
    url: `http://127.0.0.1:${port}`,
    up: true,
    forged: new Map(),
    asked: [],
    async die() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
    comeBack: () => listen(port),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return host;
}
