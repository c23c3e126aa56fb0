/** An MQTT broker on this machine, and somebody who listens to all that it is told. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { Aedes } from "aedes";
import { connectAsync, type MqttClient } from "mqtt";

export type Broker = {
  port: number;
  close(): Promise<void>;
  /** Breaks every connection but the first so many. */
  cut(spared?: number): void;
};

export async function startBroker(port = 0, password?: string): Promise<Broker> {
  const aedes = await Aedes.createBroker({
    ...(password !== undefined && {
      authenticate: (_client, _name, given, done) => done(null, String(given) === password),
    }),
  });
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    aedes.handle(socket);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const cut = (spared = 0) => {
    for (const socket of [...sockets].slice(spared)) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    async close() {
      server.close();
      cut();
      await new Promise<void>((resolve) => aedes.close(resolve));
    },
  };
}

/** What a broker holds and is told, as Home Assistant sees it. */
export async function listenTo(port: number, more = {}) {
  const client: MqttClient = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, ...more });
  const heard = new Map<string, string>();
  const log: [topic: string, text: string][] = [];
  client.on("message", (topic, payload) => {
    heard.set(topic, payload.toString());
    log.push([topic, payload.toString()]);
  });
  await client.subscribeAsync("#");
  return {
    heard,
    log,
    close: () => client.endAsync(true),
    async until(topic: string, isRight: (text: string) => boolean): Promise<string> {
      for (const end = Date.now() + 5000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 10))) {
        const text = heard.get(topic);
        if (text !== undefined && isRight(text)) return text;
      }
      throw new Error(`${topic} is ${heard.get(topic)}`);
    },
  };
}
