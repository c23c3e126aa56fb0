import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import { type AppOptions, buildApp } from "../../http/app.ts";
import { newMeter, newWorld, postOf, removeDirectories, START, silent, type World } from "../support.ts";

describe("an oracle under pressure", () => {
  let world: World;
  let app: World["app"];
  let sockets: Socket[];
  beforeEach(async () => {
    world = await newWorld();
    sockets = [];
    await listen();
  });
  async function listen(more: Partial<AppOptions> = {}): Promise<void> {
    const { oracle, chain } = world;
    app = buildApp({ oracle, chain, logger: silent, largeAtOnce: 100_000, ...more });
    await app.listen({ host: "127.0.0.1", port: 0 });
  }
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await app.close();
    await world.app.close();
    await removeDirectories();
  });

  /** Begins a post of `length` bytes, and does not go on. */
  async function begin(headers: string, first = "{"): Promise<Socket> {
    const socket = connect((app.server.address() as AddressInfo).port, "127.0.0.1");
    socket.on("error", () => {});
    sockets.push(socket);
    const heard = once(app.server, "request");
    socket.write(`POST /readings HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n${headers}\r\n\r\n${first}`);
    await heard;
    return socket;
  }

  const post = (body: object) =>
    app.inject({ method: "POST", url: "/readings", payload: body, headers: { "content-type": "application/json" } });

  const large = () => {
    const meter = newMeter();
    meter.advance(START + 10_000);
    const post = postOf(meter.device, [...meter.device.readings]);
    assert.ok(JSON.stringify(post).length > 60_000);
    return post;
  };

  it("refuses large posts while others are under way, and says when to come back", async () => {
    await begin("content-length: 50000");
    const { statusCode, headers, body } = await post(large());
    assert.equal(statusCode, 503);
    assert.equal(JSON.parse(body).rule, "busy");
    assert.ok(Number(headers["retry-after"]) > 0);
  });

  it("ends a request that does not arrive, in its headers or in its body, and lets go of what it took", async () => {
    await app.close();
    await listen({ arrivesWithin: 400 });
    for (const headers of ["content-length: 90000", "content-len"]) {
      const socket = connect((app.server.address() as AddressInfo).port, "127.0.0.1");
      sockets.push(socket);
      const end = headers.endsWith("0") ? "\r\n\r\n{" : "";
      socket.write(`POST /readings HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n${headers}${end}`);
      const [answer] = await once(socket, "data");
      assert.match(String(answer), /^HTTP\/1.1 408 .*"rule":"too slow"/s);
      await once(socket, "close");
    }
    assert.equal((await post(large())).statusCode, 404);
  });

  it("counts one of unknown length as the longest", async () => {
    await begin("transfer-encoding: chunked", "1\r\n{\r\n");
    const [answer] = await once(sockets[0] as Socket, "data");
    assert.match(String(answer), /^HTTP\/1.1 503 /);
  });

  it("takes small ones all the while", async () => {
    await begin("content-length: 90000");
    const meter = newMeter();
    meter.advance(START + 10);
    await world.register(meter.device);
    assert.equal((await post(meter.device.nextPost() as object)).statusCode, 200);
  });

  it("takes large ones again once those under way are answered or broken off", async () => {
    const socket = await begin("content-length: 90000");
    assert.equal((await post(large())).statusCode, 503);
    socket.destroy();
    for (let tries = 0; (await post(large())).statusCode === 503; tries++) {
      assert.ok(tries < 500, "it is never taken");
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (let i = 0; i < 5; i++) assert.equal((await post(large())).statusCode, 404);
  });
});
