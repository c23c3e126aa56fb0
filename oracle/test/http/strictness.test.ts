import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import type { InjectOptions } from "fastify";
import type { Meter } from "../../../meter/meter.ts";
import { toHex } from "../../../protocol/index.ts";
import { StoreUnavailable } from "../../store/store.ts";
import { newMeter, newWorld, removeDirectories, START, type World } from "../support.ts";

describe("the oracle takes requests literally", () => {
  let world: World;
  let meter: Meter;
  let keyId: string;

  beforeEach(async () => {
    world = await newWorld({ confirmations: 1 });
    meter = newMeter();
    meter.advance(START + 600);
    await world.register(meter.device);
    await world.upload(meter.device);
    keyId = toHex(meter.device.keyId);
  });
  afterEach(async () => {
    await world.app.close();
    await removeDirectories();
  });

  type Request = InjectOptions | string;

  async function assertProblem(request: Request, status: number, rule: string): Promise<void> {
    const response = await world.app.inject(request);
    const shown = JSON.stringify(request);
    assert.equal(response.statusCode, status, `${shown} ${response.body}`);
    assert.match(String(response.headers["content-type"]), /^application\/problem\+json/, shown);
    const { type, title, detail, ...problem } = response.json();
    assert.deepEqual([problem.rule, problem.status], [rule, status], shown);
    assert.equal(title, rule);
    assert.equal(type, `urn:wattwitness:problem:${rule.replaceAll(" ", "-")}`);
    assert.ok(detail.length > 0);
  }

  it("refuses an index that is not written in plain decimal digits", async () => {
    for (const index of [
      "1.5",
      "1.0",
      "true",
      "null",
      "1e1",
      "+1",
      "-1",
      "%201",
      "1%20",
      "0x10",
      "01",
      "1_0",
      "١",
      "NaN",
    ]) {
      await assertProblem(`/logs/${keyId}/1/readings/${index}`, 400, "malformed");
    }
    assert.equal((await world.app.inject(`/logs/${keyId}/1/readings/10`)).statusCode, 200);
  });

  it("refuses a query that is not written so, is said twice, or is not known", async () => {
    for (const query of [
      "limit=true",
      "limit=1e1",
      "limit=%2B1",
      "limit=",
      "limit",
      "from=1.0",
      "from=0x1",
      "from=1&from=1",
      "page=1",
    ]) {
      await assertProblem(`/logs/${keyId}/1/readings?${query}`, 400, "malformed");
    }
    assert.equal((await world.app.inject(`/logs/${keyId}/1/readings?limit=10`)).statusCode, 200);
  });

  it("refuses a body whose numbers are text, or whose text is a number", async () => {
    const post = { keyId, epoch: 1, size: 1, readings: [], signature: "0x" };
    for (const wrong of [
      { size: "1" },
      { epoch: true },
      { keyId: 1 },
      { readings: "0x" },
      { readings: [1] },
      { size: 1.5 },
    ]) {
      await assertProblem({ method: "POST", url: "/readings", payload: { ...post, ...wrong } }, 400, "malformed");
    }
    await assertProblem({ method: "POST", url: "/readings", payload: post }, 422, "count zero");
  });

  it("refuses bodies that are deep, wide or named to do harm, on every route that takes one", async () => {
    const post = { keyId, epoch: 1, size: 1, readings: [], signature: "0x" };
    const bodies = [
      "[".repeat(400_000) + "]".repeat(400_000),
      `${'{"a":'.repeat(150_000)}1${"}".repeat(150_000)}`,
      `{"readings":${"[".repeat(300_000)}${"]".repeat(300_000)}}`,
      `[${"0,".repeat(400_000)}0]`,
      `{${Array.from({ length: 60_000 }, (_, i) => `"k${i}":0`).join()}}`,
      `{"size":${"9".repeat(500_000)}}`,
      '{"__proto__":{"size":1}}',
      '{"constructor":{"prototype":{"size":1}}}',
      JSON.stringify(post).replace('"size":1', '"size":1e400'),
      JSON.stringify(post).replace('"size":1', '"size":1,"size":"1"'),
      JSON.stringify(post).replace('"size":1', '"s\\u0069ze":1.0000000001'),
      "\ufeff[]",
      '"\\ud800"',
    ];
    for (const url of ["/readings", "/registrations", "/api/v1/readings/", "/api/v1/installations/"]) {
      for (const payload of bodies) {
        await assertProblem(
          { method: "POST", url, payload, headers: { "content-type": "application/json" } },
          400,
          "malformed",
        );
      }
    }
    assert.equal((await world.app.inject("/health")).statusCode, 200);
  });

  it("knows no reading beyond the log, however far", async () => {
    for (const index of [60, 255, 256, 257, 512, 100_000, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
      await assertProblem(`/logs/${keyId}/1/readings/${index}`, 404, "unknown reading");
    }
  });

  it("says when to come back where it cannot do it now", async () => {
    world.oracle.store.logs.get = async () => {
      throw new StoreUnavailable("the database is down");
    };
    const { statusCode, headers } = await world.app.inject({ url: `/logs/${keyId}/1/readings` });
    assert.equal(statusCode, 503);
    assert.ok(Number(headers["retry-after"]) > 0);
  });

  it("refuses what is no URL", async () => {
    for (const url of ["/%ff", "/meters/%", "/%E0%A4%A", "/logs/%c0%af/1/readings"]) {
      await assertProblem(url, 400, "malformed");
    }
  });

  it("refuses a body that it cannot read", async () => {
    const post = (type: string, payload: string) =>
      ({ method: "POST", url: "/readings", headers: { "content-type": type }, payload }) as const;
    for (const type of ["text/xml", "application/x-www-form-urlencoded", "application/cbor"]) {
      await assertProblem(post(type, "a"), 415, "unsupported media type");
    }
    for (const text of ["", "{", "[1,", '{"__proto__":{"a":1}}', "\u0000", "nonsense"]) {
      await assertProblem(post("application/json", text), 400, "malformed");
    }
    await assertProblem(post("application/json", `"${"a".repeat(1_000_000)}"`), 413, "too large");
  });

  it("has nothing for a method that a route does not answer", async () => {
    for (const method of ["PUT", "DELETE", "PATCH"] as const) {
      await assertProblem({ method, url: "/readings" }, 404, "unknown route");
      await assertProblem({ method, url: `/meters/${keyId}` }, 404, "unknown route");
    }
    await assertProblem({ method: "GET", url: "/readings" }, 404, "unknown route");
  });

  it("answers what is not HTTP in the same shape", async () => {
    await world.app.listen({ host: "127.0.0.1", port: 0 });
    const { port } = world.app.server.address() as AddressInfo;
    for (const [sent, status, rule] of [
      ["nonsense\r\n\r\n", 400, "malformed"],
      ["GET / HTTP/9.9\r\n\r\n", 400, "malformed"],
      ["FETCH / HTTP/1.1\r\nhost: a\r\n\r\n", 400, "malformed"],
      [`GET / HTTP/1.1\r\nhost: a\r\na: ${"a".repeat(20_000)}\r\n\r\n`, 413, "too large"],
    ] as const) {
      const socket = connect(port, "127.0.0.1");
      let answer = "";
      socket.on("data", (data) => {
        answer += data;
      });
      socket.on("error", () => {});
      socket.write(sent);
      await once(socket, "close");
      const [head = "", body = ""] = answer.split("\r\n\r\n");
      assert.match(head, new RegExp(`^HTTP/1.1 ${status} `));
      assert.match(head, /content-type: application\/problem\+json/);
      assert.equal(JSON.parse(body).rule, rule);
    }
  });

  it("understands a slash at the end", async () => {
    for (const url of [
      "/health/",
      "/meters/",
      `/meters/${keyId}/`,
      `/logs/${keyId}/1/readings/?limit=1`,
      `/logs/${keyId}/1/readings/1/`,
    ]) {
      assert.equal((await world.app.inject(url)).statusCode, 200, url);
    }
    await assertProblem({ method: "POST", url: "/readings/", payload: {} }, 400, "malformed");
  });

  it("understands key ids and bytes in capitals", async () => {
    const capitals = `0x${keyId.slice(2).toUpperCase()}`;
    const { body } = await world.app.inject(`/meters/${keyId}`);
    assert.equal((await world.app.inject(`/meters/${capitals}`)).body, body);
    assert.equal((await world.app.inject(`/logs/${keyId.toUpperCase()}/1/readings`)).statusCode, 200);
    meter.advance(START + 700);
    world.now = START + 700;
    const post = meter.device.nextPost();
    assert.ok(post);
    const signature = `0x${post.signature.slice(2).toUpperCase()}`;
    const readings = post.readings.map((reading) => `0x${reading.slice(2).toUpperCase()}`);
    const { status } = await world.post({ ...post, keyId: capitals, readings, signature });
    assert.equal(status, 200);
  });
});
