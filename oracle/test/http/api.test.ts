import assert from "node:assert/strict";
import type { Meter } from "../../../meter/meter.ts";
import { batchDigest, domain, encodeHead, fromHex, toHex, verify, verifyInclusion } from "../../../protocol/index.ts";
import { newMeter, newWorld, PLACE, removeDirectories, START, type World } from "../support.ts";

const NOWHERE = `0x${"0f".repeat(32)}`;

describe("the oracle serves", () => {
  let world: World;
  let meter: Meter;
  let keyId: string;
  let log: string;

  /** 60 readings, the first 10 the baseline; settled up to there, then 20 more that are not. */
  beforeEach(async () => {
    world = await newWorld({ confirmations: 1 });
    meter = await world.newMeter();
    keyId = toHex(meter.device.keyId);
    log = `/logs/${keyId}/1`;
    await goOn(START + 600);
    await world.oracle.tick();
    await goOn(START + 800);
  });
  afterEach(removeDirectories);

  async function goOn(until: number): Promise<void> {
    await world.live(meter, until);
  }

  async function get(url: string) {
    const response = await world.app.inject({ url });
    return { status: response.statusCode, body: response.json() };
  }

  async function assertRefused(url: string, status: number, rule: string): Promise<void> {
    const answer = await get(url);
    assert.equal(answer.body.rule, rule);
    assert.equal(answer.status, status);
  }

  it("what there is to ask, to a program as JSON", async () => {
    for (const accept of [undefined, "*/*", "application/json"]) {
      const response = await world.app.inject({ url: "/", headers: { ...(accept && { accept }) } });
      assert.equal(response.statusCode, 200);
      assert.match(String(response.headers["content-type"]), /^application\/json/);
      assert.equal(response.headers["vary"], "accept, accept-encoding");
      const { routes, chainId, registry, what } = response.json();
      assert.deepEqual([chainId, registry], [PLACE.chainId, PLACE.registry]);
      assert.match(what, /WattWitness/);
      const values: Record<string, string> = { keyId, epoch: "1", index: "0" };
      for (const { method, path } of routes) {
        const url = path.replace(/\?.*/, "").replace(/:(\w+)/g, (_: string, name: string) => values[name] ?? NOWHERE);
        const answer = await world.app.inject({ method, url });
        assert.ok(!answer.body.includes('"unknown route"'), `${method} ${path}`);
      }
      assert.equal(routes.length, 17);
    }
  });

  it("the same to a person as a page, whose links lead somewhere", async () => {
    const accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    const response = await world.app.inject({ url: "/", headers: { accept } });
    assert.equal(response.statusCode, 200);
    assert.match(String(response.headers["content-type"]), /^text\/html; charset=utf-8$/);
    assert.match(String(response.headers["content-security-policy"]), /^default-src 'none'/);
    for (const part of [String(PLACE.chainId), PLACE.registry, keyId, "POST /readings"]) {
      assert.ok(response.body.includes(part), `${part} is not in\n${response.body}`);
    }
    const links = [...response.body.matchAll(/href="([^"]+)"/g)].map(([, link]) => link as string);
    assert.ok(links.includes(`/meters/${keyId}`));
    for (const url of links) assert.equal((await world.app.inject({ url })).statusCode, 200, url);
  });

  it("no batch that it did not seal, and no path", async () => {
    await assertRefused(`/batches/${NOWHERE}`, 404, "unknown batch");
    await assertRefused("/batches/..%2Fchain.json", 400, "malformed");
  });

  it("a batch for ever under its digest", async () => {
    const [request] = world.chain.calls();
    assert.ok(request?.to === "attestor");
    const response = await world.app.inject({ url: `/batches/${request.digest}` });
    assert.equal(response.statusCode, 200);
    assert.equal(response.headers["content-type"], "application/octet-stream");
    assert.match(String(response.headers["cache-control"]), /immutable/);
    assert.equal(Number(response.headers["content-length"]), response.rawPayload.length);
    assert.equal(toHex(batchDigest(new Uint8Array(response.rawPayload))), request.digest);
  });

  it("no meter that the chain does not know", async () => {
    await assertRefused(`/meters/${NOWHERE}`, 404, "unknown meter");
    await assertRefused("/meters/me", 400, "malformed");
  });

  it("a meter's state and its settlements", async () => {
    const { body } = await get(`/meters/${keyId}`);
    const { settlements, ...state } = body;
    assert.deepEqual((await get("/meters")).body.meters, [state]);
    assert.deepEqual(state.logs, [
      { epoch: 1, stored: 80, settled: 60, last: toHex(meter.device.readings.at(-1) as Uint8Array) },
    ]);
    assert.equal(state.latest.size, 60);
    assert.equal(state.publicKey, toHex(meter.device.publicKey));
    const produced = 50n * ((1_000_000n * 10n) / 3600n);
    assert.ok(Math.abs(Number(BigInt(settlements[1].produced) - produced)) <= 50);
    assert.deepEqual(
      settlements.map(({ size, confirmed }: { size: number; confirmed: boolean }) => [size, confirmed]),
      [
        [10, true],
        [60, true],
      ],
    );
    assert.match(settlements[1].transaction, /^0x[0-9a-f]{64}$/);
    assert.match(settlements[1].attestation, /^0x[0-9a-f]{64}$/);
  });

  it("which keys a meter had, and how they ended", async () => {
    const successor = newMeter();
    successor.advance(START + 800);
    await world.rotate(meter.device, successor.device);
    const told = async (of: string) => {
      const { meter, status, until, successor } = (await get(`/meters/${of}`)).body;
      return { meter, status, until, successor };
    };
    const next = toHex(successor.device.keyId);
    assert.deepEqual(await told(keyId), { meter: keyId, status: "superseded", until: START + 800, successor: next });
    assert.deepEqual(await told(next), { meter: keyId, status: "active", until: undefined, successor: undefined });
    assert.equal((await get("/health")).body.meters, 1);
  });

  it("no readings of a log that it does not have", async () => {
    await assertRefused(`/logs/${keyId}/2/readings`, 404, "unknown log");
    await assertRefused(`/logs/${keyId}/2/readings/0`, 404, "unknown log");
    await assertRefused(`${log}/readings?limit=1001`, 400, "malformed");
    await assertRefused(`${log}/readings?from=-1`, 400, "malformed");
    await assertRefused(`${log}/readings?page=1`, 400, "malformed");
    await assertRefused(`${log}/readings/80`, 404, "unknown reading");
  });

  it("readings page by page", async () => {
    const { readings } = meter.device;
    const first = await get(`${log}/readings?limit=30`);
    assert.deepEqual(first.body, { from: 0, size: 80, readings: readings.slice(0, 30).map(toHex) });
    const last = await get(`${log}/readings?from=70&limit=30`);
    assert.deepEqual(last.body, { from: 70, size: 80, readings: readings.slice(70).map(toHex) });
    assert.deepEqual((await get(`${log}/readings?from=99`)).body.readings, []);
  });

  it("a settled reading with proofs under both heads, and its place on chain", async () => {
    const { body } = await get(`${log}/readings/25`);
    const reading = fromHex(body.reading);
    assert.deepEqual(reading, meter.device.readings[25]);
    const { signed, settled } = body;
    assert.equal(signed.size, 80);
    assert.ok(verifyInclusion(reading, 25, 80, signed.proof.map(fromHex), fromHex(signed.root)).ok);
    const head = { epoch: 1, size: 80, reading: fromHex(signed.reading), root: fromHex(signed.root) };
    const statement = encodeHead(domain("head", PLACE), head);
    assert.ok((await verify(statement, fromHex(signed.signature), meter.device.publicKey)).ok);
    assert.equal(settled.size, 60);
    assert.equal(settled.root, toHex(meter.device.log.root(60)));
    assert.ok(verifyInclusion(reading, 25, 60, settled.proof.map(fromHex), fromHex(settled.root)).ok);
    assert.equal(settled.mark.size, 60);
    assert.equal(settled.mark.fromSize, 10);
    assert.equal((await get(`${log}/readings/9`)).body.settled.mark.size, 10);
  });

  it("a reading that is not on chain without a place there", async () => {
    const { body } = await get(`${log}/readings/60`);
    assert.equal(body.settled, undefined);
    assert.equal(body.signed.size, 80);
  });

  it("how it is", async () => {
    const { body } = await get("/health");
    assert.deepEqual(body, {
      status: "ok",
      chainId: PLACE.chainId,
      registry: PLACE.registry,
      block: (await world.chain.newest()).block,
      meters: 1,
      jobs: [],
    });
  });

  it("problem details where it refuses (RFC 9457), in the protocol's words", async () => {
    const response = await world.app.inject({ url: `${log}/readings/80` });
    assert.match(String(response.headers["content-type"]), /^application\/problem\+json/);
    assert.deepEqual(response.json(), {
      type: "urn:wattwitness:problem:unknown-reading",
      title: "unknown reading",
      status: 404,
      detail: "this log has no such reading",
      rule: "unknown reading",
      index: 80,
      size: 80,
    });
  });

  it("nothing else", async () => {
    await assertRefused("/admin", 404, "unknown route");
  });
});
