import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import { buildApp } from "../../http/app.ts";
import type { StreamLimits } from "../../http/routes/stream.ts";
import { newWorld, removeDirectories, silent, type World } from "../support.ts";

describe("the stream of events", () => {
  let world: World;
  let app: World["app"];
  beforeEach(async () => {
    world = await newWorld();
  });
  afterEach(async () => {
    await app.close();
    await world.app.close();
    await removeDirectories();
  });

  async function listen(streamLimits: Partial<StreamLimits> = {}): Promise<string> {
    const { oracle, chain } = world;
    app = buildApp({ oracle, chain, logger: silent, streamLimits });
    await app.listen({ host: "127.0.0.1", port: 0 });
    return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/api/v1/stream`;
  }
  const publish = (n: number) => world.oracle.events.publish("reading", { n });

  /** What comes until `last` has; the stream goes on. */
  async function read(response: Response, last: string): Promise<string> {
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes(last)) {
      const { value, done } = (await reader?.read()) ?? {};
      assert.ok(!done, `ended with ${text}`);
      text += value;
    }
    await reader?.cancel();
    return text;
  }
  const idsIn = (text: string) => [...text.matchAll(/^id: (.+)$/gm)].map(([, id]) => id as string);

  it("refuses more than it can keep open, and a place that is none", async () => {
    const url = await listen({ streams: 1 });
    const first = await fetch(url);
    const second = await fetch(url);
    assert.equal(second.status, 503);
    assert.ok(Number(second.headers.get("retry-after")) > 0);
    assert.equal(((await second.json()) as { rule: string }).rule, "too many streams");
    await first.body?.cancel();
    const long = await fetch(url, { headers: { "last-event-id": "a".repeat(100) } });
    assert.equal(long.status, 400);
  });

  it("tells what happens with ids, to pages from anywhere", async () => {
    const response = await fetch(await listen(), { headers: { origin: "https://a.example" } });
    assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
    assert.equal(response.headers.get("access-control-allow-origin"), "*");
    publish(1);
    publish(2);
    const text = await read(response, '"n":2');
    assert.match(text, /^retry: \d+\n\n/);
    assert.match(text, /id: [0-9a-f]+-1\nevent: reading\ndata: \{"n":1\}\n\n/);
  });

  it("goes on after the last event that was seen, and says where some are gone", async () => {
    const url = await listen();
    const response = await fetch(url);
    for (const n of [1, 2, 3]) publish(n);
    const [first] = idsIn(await read(response, '"n":3'));
    const resumed = await fetch(url, { headers: { "last-event-id": first as string } });
    publish(4);
    const text = await read(resumed, '"n":4');
    assert.deepEqual(
      [...text.matchAll(/"n":(\d)/g)].map(([, n]) => n),
      ["2", "3", "4"],
    );
    assert.ok(!text.includes("event: missed"));
    const other = await fetch(url, { headers: { "last-event-id": "00000000-1" } });
    assert.match(await read(other, '"n":4'), /event: missed/);
  });

  it("drops who does not read, and waits for nobody", async () => {
    const url = new URL(await listen({ behind: 10_000 }));
    const accepted = once(app.server, "connection");
    const socket = connect(Number(url.port), url.hostname);
    socket.on("error", () => {});
    socket.write(`GET ${url.pathname} HTTP/1.1\r\nhost: a\r\n\r\n`);
    await once(socket, "data");
    socket.pause();
    const [connection] = (await accepted) as [Socket];
    const text = "a".repeat(5000);
    for (let n = 0; !connection.destroyed; n++) {
      assert.ok(n < 20_000, "it was never dropped");
      world.oracle.events.publish("reading", { n, text });
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.destroy();
    const other = await fetch(url);
    publish(1);
    await read(other, '"n":1}');
  });

  it("ends when the oracle closes", async () => {
    const response = await fetch(await listen());
    const ended = response.text();
    await app.close();
    assert.match(await ended, /^retry/);
  });
});
