/** A connection that is kept: one request after the other, as they were made before. */
import { once } from "node:events";
import { connect } from "node:net";

export type Connection = {
  /** Sends a whole request, and resolves with the status of its answer. */
  send(request: Buffer): Promise<number>;
  end(): void;
};

export async function connectTo(port: number): Promise<Connection> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  let received = "";
  let answered: ((status: number) => void) | undefined;
  let failed: ((error: Error) => void) | undefined;

  socket.setEncoding("latin1");
  socket.on("data", (text: string) => {
    received += text;
    const end = received.indexOf("\r\n\r\n");
    if (end === -1) return;
    const length = Number(/content-length: (\d+)/i.exec(received.slice(0, end))?.[1]);
    if (received.length < end + 4 + length) return;
    const status = Number(received.slice(9, 12));
    received = received.slice(end + 4 + length);
    answered?.(status);
  });
  socket.on("error", (error) => failed?.(error));
  socket.on("close", () => failed?.(new Error("the oracle closed a connection")));

  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        [answered, failed] = [resolve, reject];
        socket.write(request);
      }),
    end() {
      failed = undefined;
      socket.destroy();
    },
  };
}
