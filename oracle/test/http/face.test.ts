import assert from "node:assert/strict";
import { openApi } from "../../../scripts/openapi.ts";
import { buildApp } from "../../http/app.ts";
import { createKnownMeters, type Limits } from "../../http/limits.ts";
import { newWorld, removeDirectories, silent, type World } from "../support.ts";

describe("the oracle's HTTP face", () => {
  let world: World;
  beforeEach(async () => {
    world = await newWorld({ confirmations: 1 });
  });
  afterEach(async () => {
    await world.app.close();
    await removeDirectories();
  });

  const faceWith = (limits: Partial<Limits>) => {
    const { oracle, chain } = world;
    return buildApp({ oracle, chain, logger: silent, limits: { holds: 0, ...limits }, trustProxy: true });
  };

  describe("limits", () => {
    it("refuses an address that asks too much, and says when to go on", async () => {
      const app = faceWith({ perAddress: 3 });
      for (let i = 0; i < 3; i++) assert.equal((await app.inject("/health")).statusCode, 200);
      const response = await app.inject("/health");
      assert.equal(response.statusCode, 429);
      assert.equal(response.json().rule, "too many requests");
      const after = Number(response.headers["retry-after"]);
      assert.ok(after > 0 && after <= 60, String(after));
      const other = { url: "/health", headers: { "x-forwarded-for": "192.0.2.1" } };
      assert.equal((await app.inject(other)).statusCode, 200);
    });

    it("holds back only the refusals of who asks too much", async () => {
      const app = faceWith({ perAddress: 3, holds: 1000 });
      const ask = (address: string) => app.inject({ url: "/health", headers: { "x-forwarded-for": address } });
      for (let i = 0; i < 3; i++) assert.equal((await ask("192.0.2.1")).statusCode, 200);
      const answered: number[] = [];
      const held = ask("192.0.2.1").then(({ statusCode }) => answered.push(statusCode));
      assert.equal((await ask("192.0.2.2")).statusCode, 200);
      assert.deepEqual(answered, []);
      await held;
      assert.deepEqual(answered, [429]);
    });

    it("counts who asks by what the proxy added, not by what stands before that", async () => {
      const app = faceWith({ perAddress: 3 });
      const ask = (i: number) =>
        app.inject({ url: "/health", headers: { "x-forwarded-for": `198.51.100.${i}, 192.0.2.1` } });
      for (let i = 0; i < 3; i++) assert.equal((await ask(i)).statusCode, 200);
      assert.equal((await ask(3)).statusCode, 429);
    });

    it("counts all that share the first 64 bits of an IPv6 address as one, and no others", async () => {
      const app = faceWith({ perAddress: 3 });
      const ask = async (address: string) =>
        (await app.inject({ url: "/health", headers: { "x-forwarded-for": address } })).statusCode;
      for (const address of ["2001:db8::1", "2001:db8:0:0:8::", "2001:DB8:0:0:ffff:1:2:3"]) {
        assert.equal(await ask(address), 200);
      }
      assert.equal(await ask("2001:db8::2"), 429);
      for (const address of ["2001:db8:0:1::1", "::ffff:192.0.2.1", "192.0.2.2"]) assert.equal(await ask(address), 200);
    });

    it("takes a meter's posts while strangers flood in its name", async () => {
      const app = faceWith({ perAddress: 4, perMeter: 100 });
      const meter = await world.newMeter();
      const post = async (address: string, payload: object) =>
        (await app.inject({ method: "POST", url: "/readings", payload, headers: { "x-forwarded-for": address } }))
          .statusCode;
      const home = "192.0.2.1";
      const first = meter.device.nextPost();
      assert.ok(first);
      assert.equal(await post(home, first), 200);
      const forged = { ...first, size: first.size + 1, signature: `0x${"01".repeat(64)}` };
      // what everybody can fetch and post again makes nobody the meter
      for (let i = 0; i < 4; i++) assert.equal(await post("192.0.2.66", first), 200);
      assert.equal(await post("192.0.2.66", first), 429);
      for (let i = 0; i < 6; i++) await post(home, { ...forged, keyId: `0x${"0f".repeat(32)}` });
      assert.equal(await post(home, { ...forged, keyId: `0x${"0f".repeat(32)}` }), 429);
      for (let i = 0; i < 20; i++) assert.equal(await post(home, first), 200);
    });

    it("remembers no more meters than it was told to", () => {
      const meters = createKnownMeters(2);
      for (const keyId of ["a", "b", "a", "c"]) meters.add(keyId, "home");
      assert.deepEqual(
        ["a", "b", "c"].map((keyId) => meters.has(keyId, "home")),
        [true, false, true],
      );
    });
  });

  describe("to browsers", () => {
    const from = (origin: string) => ({ url: "/health", headers: { origin } });

    it("lets pages from anywhere read, unless told which", async () => {
      assert.equal((await world.app.inject(from("https://a.example"))).headers["access-control-allow-origin"], "*");
      const { oracle, chain } = world;
      const app = buildApp({ oracle, chain, logger: silent, origins: ["https://a.example"] });
      const allowed = async (origin: string) => (await app.inject(from(origin))).headers["access-control-allow-origin"];
      assert.equal(await allowed("https://a.example"), "https://a.example");
      assert.equal(await allowed("https://b.example"), undefined);
    });

    it("answers whether a page may post", async () => {
      const headers = { origin: "https://a.example", "access-control-request-method": "POST" };
      const response = await world.app.inject({ method: "OPTIONS", url: "/readings", headers });
      assert.equal(response.statusCode, 204);
      assert.match(String(response.headers["access-control-allow-methods"]), /POST/);
    });

    it("forbids to run or frame what it answers", async () => {
      const { headers } = await world.app.inject("/health");
      assert.match(String(headers["content-security-policy"]), /default-src 'none'/);
      assert.equal(headers["x-content-type-options"], "nosniff");
    });

    it("shows the description at /docs", async () => {
      const page = await world.app.inject("/docs/");
      assert.equal(page.statusCode, 200);
      assert.match(String(page.headers["content-security-policy"]), /script-src 'self'/);
      assert.equal((await world.app.inject("/docs/json")).json().openapi, "3.1.0");
    });
  });

  it("describes every route with a summary, a tag and what it may answer", async () => {
    const { openapi, paths } = JSON.parse(await openApi());
    assert.equal(openapi, "3.1.0");
    assert.ok(Object.keys(paths).length >= 9);
    for (const [path, methods] of Object.entries<Record<string, never>>(paths)) {
      for (const [method, operation] of Object.entries<{ summary?: string; tags?: string[]; responses: object }>(
        methods,
      )) {
        const name = `${method} ${path}`;
        assert.ok(operation.summary, name);
        assert.equal(operation.tags?.length, 1, name);
        const statuses = Object.keys(operation.responses);
        for (const status of ["429", "500"]) assert.ok(statuses.includes(status), `${name} ${status}`);
        if (path.includes("{"))
          for (const status of ["400", "404"]) assert.ok(statuses.includes(status), `${name} ${status}`);
        if (method === "post")
          for (const status of ["400", "413", "415"]) assert.ok(statuses.includes(status), `${name} ${status}`);
      }
    }
  });
});
