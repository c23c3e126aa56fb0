import assert from "node:assert/strict";
import type { Meter } from "../../../meter/meter.ts";
import { domain, encodeHead, fromHex, leafHash, toHex, verify, verifyInclusion } from "../../../protocol/index.ts";
import { saidIn } from "../../tlog/checkpoint.ts";
import { newWorld, PLACE, removeDirectories, START, type World } from "../support.ts";

const NOWHERE = `0x${"0f".repeat(32)}`;

describe("a log for those who know transparency logs", () => {
  let world: World;
  let meter: Meter;
  let keyId: string;
  let log: string;
  let origin: string;

  /** 600 readings: two full tiles and one of 88 */
  beforeEach(async () => {
    world = await newWorld();
    meter = await world.newMeter();
    keyId = toHex(meter.device.keyId);
    log = `/tlog/${keyId}/1`;
    origin = `wattwitness/${PLACE.chainId}/${PLACE.registry}/${keyId}/1`;
    await world.live(meter, START + 6000);
  });
  afterEach(removeDirectories);

  const get = (url: string, headers = {}) => world.app.inject({ url, headers });

  async function assertRefused(url: string, status: number, rule: string): Promise<void> {
    const response = await get(url);
    assert.equal(response.json().rule, rule, url);
    assert.equal(response.statusCode, status, url);
    assert.match(String(response.headers["content-type"]), /^application\/problem\+json/);
  }

  const hashes = (from: number, to: number) => Buffer.concat(meter.device.readings.slice(from, to).map(leafHash));
  const linesOf = (note: string) => note.slice(note.indexOf("\n\n") + 2).split("\n");
  const signatureIn = (line = "") => Buffer.from(line.split(" ")[2] as string, "base64").subarray(4);

  it("is refused where nothing is stored of it", async () => {
    for (const path of ["checkpoint", "vkeys", "0.tlog-proof", "tile/0/000", "tile/entries/000"]) {
      await assertRefused(`/tlog/${keyId}/2/${path}`, 404, "unknown log");
      await assertRefused(`/tlog/${NOWHERE}/1/${path}`, 404, "unknown log");
      await assertRefused(`/tlog/me/1/${path}`, 400, "malformed");
      await assertRefused(`/tlog/${keyId}/01/${path}`, 400, "malformed");
    }
  });

  it("has no tile whose path is written otherwise", async () => {
    for (const path of ["00/000", "64/000", "0/0", "0/x000/000", "0/000.p/256", "0/000.p/01", "0/000.p/0", "a/000"]) {
      await assertRefused(`${log}/tile/${path}`, 400, "malformed");
    }
  });

  it("has no tile beyond its end", async () => {
    for (const path of ["0/002", "0/002.p/89", "0/003.p/1", "1/000", "1/000.p/3", "2/000.p/1", "63/000.p/1"]) {
      await assertRefused(`${log}/tile/${path}`, 404, "unknown tile");
    }
    for (const path of ["002", "002.p/89", "x001/000"]) {
      await assertRefused(`${log}/tile/entries/${path}`, 404, "unknown tile");
    }
  });

  it("has no proof of a reading that is not there", async () => {
    await assertRefused(`${log}/600.tlog-proof`, 404, "unknown reading");
    for (const index of ["-1", "01", "one", "1.5"]) await assertRefused(`${log}/${index}.tlog-proof`, 400, "malformed");
    await assertRefused(`${log}/1.tlog`, 404, "unknown route");
  });

  it("serves tiles of hashes, for ever", async () => {
    const full = await get(`${log}/tile/0/001`);
    assert.deepEqual(full.rawPayload, hashes(256, 512));
    assert.equal(full.headers["content-type"], "application/octet-stream");
    assert.match(String(full.headers["cache-control"]), /immutable/);
    assert.equal((await get(`${log}/tile/0/001`, { "if-none-match": full.headers["etag"] })).statusCode, 304);
    assert.deepEqual((await get(`${log}/tile/0/002.p/88`)).rawPayload, hashes(512, 600));
    assert.deepEqual((await get(`${log}/tile/0/002.p/1`)).rawPayload, hashes(512, 513));
    const { log: tree } = meter.device;
    const above = Buffer.concat([tree.range(0, 256), tree.range(256, 512)]);
    assert.deepEqual((await get(`${log}/tile/1/000.p/2`)).rawPayload, above);
  });

  it("serves bundles of readings, each after its length", async () => {
    const bundle = (await get(`${log}/tile/entries/002.p/88`)).rawPayload;
    const expected = meter.device.readings.slice(512).flatMap((reading) => [Uint8Array.of(0, 32), reading]);
    assert.deepEqual(bundle, Buffer.concat(expected));
    assert.equal((await get(`${log}/tile/entries/000`)).rawPayload.length, 256 * 34);
  });

  it("serves the newest head as a checkpoint, not for long", async () => {
    const response = await get(`${log}/checkpoint`);
    assert.equal(response.headers["content-type"], "text/plain; charset=utf-8");
    assert.equal(response.headers["cache-control"], "public, max-age=5");
    assert.deepEqual(saidIn(response.body, origin), { size: 600, root: meter.device.log.root() });
  });

  it("has the head that the device signed in the checkpoint", async () => {
    const [device] = linesOf((await get(`${log}/checkpoint`)).body);
    const signed = signatureIn(device);
    const said = { epoch: 1, size: 600, reading: signed.subarray(0, 32), root: meter.device.log.root() };
    const head = encodeHead(domain("head", PLACE), said);
    assert.ok((await verify(head, signed.subarray(32), meter.device.publicKey)).ok);
  });

  it("proves a reading in a file", async () => {
    const response = await get(`${log}/77.tlog-proof`);
    assert.equal(response.headers["content-type"], "text/plain; charset=utf-8");
    const checkpoint = (await get(`${log}/checkpoint`)).body;
    const [before, ...after] = response.body.split("\n\n");
    assert.equal(after.join("\n\n"), checkpoint);
    const [version, extra, index, ...proof] = (before as string).split("\n");
    assert.deepEqual([version, index], ["c2sp.org/tlog-proof@v1", "index 77"]);
    const reading = Buffer.from((extra as string).replace("extra ", ""), "base64");
    assert.deepEqual(new Uint8Array(reading), meter.device.readings[77]);
    const path = proof.map((hash) => new Uint8Array(Buffer.from(hash, "base64")));
    assert.ok(verifyInclusion(reading, 77, 600, path, meter.device.log.root()).ok);
  });

  it("says whose keys sign, and signs with the same after a restart", async () => {
    const [device = "", oracle = "", end] = (await get(`${log}/vkeys`)).body.split("\n");
    assert.equal(end, "");
    for (const vkey of [device, oracle]) assert.ok(vkey.startsWith(`${origin}+`));
    const keyIn = (vkey: string) => Buffer.from(vkey.split("+").slice(2).join("+"), "base64");
    assert.deepEqual(new Uint8Array(keyIn(device).subarray(-64)), meter.device.publicKey);
    const key = (await get("/tlog/key")).json();
    assert.equal(key.algorithm, "Ed25519");
    assert.deepEqual(keyIn(oracle), Buffer.concat([Uint8Array.of(1), fromHex(key.publicKey)]));
    const { store } = world.oracle;
    await store.close();
    await world.restart();
    assert.deepEqual((await get("/tlog/key")).json(), key);
  });
});
