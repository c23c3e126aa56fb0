import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  batchDigest,
  createLog,
  domain,
  encodeHead,
  generatePrivateKey,
  keyIdOf,
  publicKeyOf,
  sign,
  toHex,
} from "../../../protocol/index.ts";
import { httpMirror } from "../../commands/mirror.ts";
import { type Mirror, puttingInto, type Repair, repairStore } from "../../commands/repairing.ts";
import { type Host, hostOf } from "../publishing/places.ts";
import { readingsOf } from "../store/contract.ts";
import { openStore, PLACE, removeDirectories, temporaryDirectory } from "../support.ts";

const HEAD_DOMAIN = domain("head", PLACE);
const PRIVATE_KEY = generatePrivateKey();
const PUBLIC_KEY = publicKeyOf(PRIVATE_KEY);
const KEY_ID = toHex(keyIdOf(PUBLIC_KEY));
/** More than a tile of tiles. */
const SIZE = 256 * 256 + 600;
const BATCH = Buffer.from("a batch");
const DIGEST = toHex(batchDigest(BATCH));

const DAMAGES: [string, (bytes: Buffer) => Buffer | undefined][] = [
  ["missing", () => undefined],
  ["empty", () => Buffer.alloc(0)],
  ["halved", (bytes) => bytes.subarray(0, bytes.length / 2)],
  ["filled with zeros", (bytes) => Buffer.alloc(bytes.length)],
  ["of one other bit", (bytes) => Buffer.concat([Buffer.of((bytes[0] as number) ^ 1), bytes.subarray(1)])],
];
const FILES = ["tile/1/000", "tile/0/000", "tile/0/257", "tile/entries/000", "tile/entries/256"];

describe("repairing a data folder", function () {
  this.timeout(60_000);
  let lasting: string;
  let whole: string;
  let directory: string;
  let site: string;
  let host: Host;

  /** The folder of a node that is whole, made once: it outlives what mocha removes after each test. */
  before(async () => {
    lasting = await mkdtemp(join(tmpdir(), "wattwitness-repair-"));
    whole = join(lasting, "whole");
    const store = await openStore(whole);
    const readings = readingsOf(SIZE);
    const log = await store.logs.open(KEY_ID, 1);
    for (let at = 0; at < SIZE; at += 8192) {
      const part = readings.slice(at, at + 8192);
      const head = { epoch: 1, size: at + part.length, reading: part.at(-1) as Uint8Array, root: log.rootWith(part) };
      await log.append(part, sign(encodeHead(HEAD_DOMAIN, head), PRIVATE_KEY), 0n);
    }
    assert.deepEqual(log.rootWith([]), createLog(readings).root());
    await (await store.records("meters")).put(KEY_ID, { keyId: KEY_ID, publicKey: toHex(PUBLIC_KEY) });
    await store.batches.put(BATCH);
    await (await store.records("jobs-finished")).put(DIGEST, { digest: DIGEST });
    await store.close();
    site = join(lasting, "site");
    await mkdir(join(site, "tlog"), { recursive: true });
    await cp(join(whole, "logs", KEY_ID), join(site, "tlog", KEY_ID), { recursive: true });
    await cp(join(whole, "batches"), join(site, "batches"), { recursive: true });
  });
  beforeEach(async () => {
    directory = join(await temporaryDirectory(), "data");
    await cp(whole, directory, { recursive: true });
    host = await hostOf(site);
  });
  afterEach(async () => {
    host.close();
    await removeDirectories();
  });
  after(() => rm(lasting, { recursive: true, force: true }));

  const inLog = (file: string) => join(directory, "logs", KEY_ID, "1", file);

  async function damage(path: string, how: (bytes: Buffer) => Buffer | undefined): Promise<void> {
    const bytes = how(await readFile(path));
    if (bytes) await writeFile(path, bytes);
    else await rm(path);
  }

  async function repair(mirror: Mirror | undefined = httpMirror(host.url), headDomain = HEAD_DOMAIN): Promise<Repair> {
    const store = await openStore(directory);
    const repaired = await repairStore({ store, headDomain, putTile: puttingInto(directory), mirror });
    await store.close();
    return repaired;
  }

  /** Every file of logs and batches, with what is in it and when it was written. */
  async function contents(): Promise<Map<string, { bytes: string; at: number }>> {
    const found = new Map<string, { bytes: string; at: number }>();
    for (const folder of ["logs", "batches"]) {
      const entries = await readdir(join(directory, folder), { recursive: true, withFileTypes: true });
      for (const entry of entries.filter((each) => each.isFile())) {
        const path = join(entry.parentPath, entry.name);
        found.set(path.slice(directory.length + 1), {
          bytes: hash("sha256", await readFile(path)),
          at: (await stat(path)).mtimeMs,
        });
      }
    }
    return found;
  }

  describe("changes nothing", () => {
    it("where nothing is damaged, and asks the mirror for nothing", async () => {
      const before = await contents();
      assert.deepEqual(await repair(), { readings: SIZE, repaired: [], left: [] });
      assert.deepEqual(await contents(), before);
      assert.deepEqual(host.asked, []);
    });

    it("without a mirror, and tells of each file that is damaged", async () => {
      await damage(inLog("tile/0/002"), () => undefined);
      await damage(inLog("tile/entries/003"), () => Buffer.of(1));
      await damage(join(directory, "batches", DIGEST), () => Buffer.of(1));
      const before = await contents();
      const { repaired, left } = await repairWithout();
      assert.deepEqual(repaired, []);
      assert.equal(left.length, 3, left.join("\n"));
      assert.match(
        left[0] as string,
        /tile\/0\/002 is damaged: it is missing\. It is about readings 512 to 767 of key/,
      );
      assert.match(left[1] as string, /tile\/entries\/003 is damaged: it has 1 bytes instead of 8704/);
      assert.match(left[2] as string, new RegExp(`${DIGEST} is damaged: it is not the batch of that digest`));
      assert.deepEqual(await contents(), before);
    });

    it("by a mirror that lies: another tile, as many bytes of anything, too many, or too few", async () => {
      const lies = [
        await readFile(join(site, "tlog", KEY_ID, "1", "tile/0/001")),
        Buffer.alloc(8192, 7),
        Buffer.alloc(8704, 7),
        Buffer.alloc(3_000_000),
        Buffer.alloc(0),
      ];
      for (const file of ["tile/1/000", "tile/0/257", "tile/entries/000"]) {
        await damage(inLog(file), () => Buffer.of(1));
        const before = await contents();
        for (const lie of lies) {
          host.forged.set(`/tlog/${KEY_ID}/1/${file}`, lie);
          const { repaired, left } = await repair();
          assert.deepEqual(repaired, []);
          assert.match(left[0] as string, /(something else there: it was refused|serves more than 2000000 bytes)\.$/);
          assert.deepEqual(await contents(), before);
        }
        host.forged.clear();
        assert.deepEqual((await repair()).repaired, [`tlog/${KEY_ID}/1/${file}`]);
      }
    });

    it("by a mirror that has another batch under the digest", async () => {
      await damage(join(directory, "batches", DIGEST), () => undefined);
      host.forged.set(`/batches/${DIGEST}`, Buffer.from("another batch"));
      const { repaired, left } = await repair();
      assert.deepEqual([repaired, left.length], [[], 1]);
      assert.equal((await contents()).has(`batches/${DIGEST}`), false);
    });

    it("by a mirror that is down, or has not got it", async () => {
      await damage(inLog("tile/0/002"), () => undefined);
      host.up = false;
      assert.match((await repair()).left.join(), /cannot be fetched: http:\S+\/tile\/0\/002 answers 503\.$/);
      host.up = true;
      const elsewhere = await repair(httpMirror(`${host.url}/nowhere`));
      assert.match(elsewhere.left.join(), /cannot be fetched: http:\S+ answers 404\.$/);
      await host.die();
      assert.match((await repair()).left.join(), /does not answer: ECONNREFUSED\.$/);
    });

    it("where what is kept above was not signed by the meter", async () => {
      await damage(inLog("tile/0/002"), () => undefined);
      const { repaired, left } = await repair(undefined, domain("head", { ...PLACE, chainId: 1 }));
      assert.deepEqual(repaired, []);
      assert.match(left.join(), /is not what the meter signed/);
    });
  });

  const repairWithout = async () => {
    const store = await openStore(directory);
    const never = () => Promise.reject(new Error("nothing is to be put"));
    const told = await repairStore({ store, headDomain: HEAD_DOMAIN, putTile: never, mirror: undefined });
    await store.close();
    return told;
  };

  for (const [how, change] of DAMAGES) {
    it(`fetches again each kind of file that is ${how}, and nothing else`, async () => {
      const before = await contents();
      for (const file of FILES) {
        await damage(inLog(file), change);
        assert.deepEqual(await repair(), { readings: SIZE, repaired: [`tlog/${KEY_ID}/1/${file}`], left: [] });
      }
      await damage(join(directory, "batches", DIGEST), change);
      assert.deepEqual(await repair(), { readings: SIZE, repaired: [`batches/${DIGEST}`], left: [] });
      assert.equal(new Set(host.asked).size, FILES.length + 1);
      const after = await contents();
      assert.deepEqual([...after.keys()].sort(), [...before.keys()].sort());
      const touched = new Set([...FILES.map((file) => `logs/${KEY_ID}/1/${file}`), `batches/${DIGEST}`]);
      for (const [path, { bytes, at }] of after) {
        assert.deepEqual(bytes, before.get(path)?.bytes, path);
        if (!touched.has(path)) assert.equal(at, before.get(path)?.at, path);
      }
    });
  }

  it("fetches again all of a log's files at once, the higher before the lower", async () => {
    await rm(inLog("tile"), { recursive: true });
    const { repaired, left } = await repair();
    assert.deepEqual(left, []);
    assert.equal(repaired.length, 1 + 2 * 258);
    assert.equal(repaired[0], `tlog/${KEY_ID}/1/tile/1/000`);
    assert.deepEqual(await repair(), { readings: SIZE, repaired: [], left: [] });
  });

  it("says that heads are damaged: nobody else has them", async () => {
    const [name] = await readdir(inLog("heads"));
    await damage(inLog(join("heads", name as string)), () => Buffer.of(1));
    const { repaired, left } = await repair();
    assert.deepEqual(repaired, []);
    assert.match(left.join(), /heads\/\d+ is damaged: .* Nobody else has it\.$/);
  });

  it("waits where a mirror says for how long, and asks again", async () => {
    let asked = 0;
    const server = createServer((_request, response) => {
      asked += 1;
      if (asked < 3) return void response.writeHead(429, { "retry-after": "0" }).end();
      response.end("here");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const mirror = httpMirror(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const fetched = await mirror("batches/1");
    assert.deepEqual([fetched.ok && Buffer.from(fetched.bytes).toString(), asked], ["here", 3]);
    server.closeAllConnections();
    server.close();
  });
});
