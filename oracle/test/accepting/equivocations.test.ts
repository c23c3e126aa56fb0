import assert from "node:assert/strict";
import pino from "pino";
import { createDevice, type Device, type Post } from "../../../meter/device.ts";
import {
  createLog,
  domain,
  encodeHead,
  fromHex,
  generatePrivateKey,
  sign,
  toHex,
  verify,
  verifyInclusion,
} from "../../../protocol/index.ts";
import { createEquivocations, type KeptEquivocation, type Told } from "../../accepting/equivocations.ts";
import type { OracleEvent } from "../../serving/events.ts";
import {
  INTERVAL,
  newWorld,
  openStore,
  PLACE,
  postOf,
  readingAt,
  removeDirectories,
  START,
  temporaryDirectory,
  type World,
} from "../support.ts";

const PRIVATE_KEY: Uint8Array = generatePrivateKey();
const HEAD_DOMAIN = domain("head", PLACE);

const energies = (count: number, from = 0): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => readingAt(START + (from + i + 1) * INTERVAL, BigInt(1000 * (from + i))));
/** What a device might have measured instead. */
const other = (reading: Uint8Array): Uint8Array => {
  const changed = new Uint8Array(reading);
  changed[19] = 1;
  return changed;
};

/** The last readings of a log from `start` on, signed over all of it. */
function signedPost(device: Device, log: readonly Uint8Array[], start: number, by = PRIVATE_KEY): Post {
  const { epoch } = device;
  const head = { epoch, size: log.length, reading: log.at(-1) as Uint8Array, root: createLog(log).root() };
  return postOf(device, log.slice(start), {
    size: log.length,
    signature: toHex(sign(encodeHead(HEAD_DOMAIN, head), by)),
  });
}

describe("a device that told two stories of one log", () => {
  let world: World;
  let device: Device;
  /** what the oracle has: 300 readings, posted in three parts */
  let log: Uint8Array[];
  let path: string;
  let told: OracleEvent[];

  beforeEach(async () => {
    world = await newWorld();
    device = createDevice({ privateKey: PRIVATE_KEY, epoch: 1, interval: INTERVAL, source: 0, place: PLACE });
    device.synchronise(START);
    for (let i = 1; i <= 5; i++) device.take(START + i * INTERVAL, { power: 0n, register: 1000n * BigInt(i) });
    await world.register(device);
    log = [...device.readings, ...energies(295, 5)];
    world.now = START + 400 * INTERVAL;
    for (const [start, end] of [
      [0, 100],
      [100, 270],
      [270, 300],
    ] as const) {
      assert.equal((await world.post(signedPost(device, log.slice(0, end), start))).status, 200);
    }
    path = `/equivocations/${toHex(device.keyId)}/1`;
    told = [];
    world.oracle.events.subscribe((event) => told.push(event));
  });
  afterEach(async () => {
    await world.app.close();
    await removeDirectories();
  });

  /** The log with another reading at `index`, of `size` readings. */
  const storyFrom = (index: number, size: number): Uint8Array[] => [
    ...log.slice(0, index),
    other(log[index] as Uint8Array),
    ...[...log, ...energies(100, 300)].slice(index + 1, size),
  ];
  const get = async (url = path) => {
    const { statusCode: status, body } = await world.app.inject({ url });
    return { status, body: JSON.parse(body) };
  };
  const refusesWrongReading = async (post: Post) => {
    const { status, body } = await world.post(post);
    assert.deepEqual([status, body.rule], [422, "wrong reading"]);
  };

  describe("is not known by", () => {
    const isUnknown = async () => {
      assert.deepEqual([(await get()).status, (await get()).body.rule], [404, "unknown equivocation"]);
      assert.deepEqual((await get("/equivocations")).body, { equivocations: [] });
      assert.deepEqual(
        told.filter(({ kind }) => kind === "equivocation"),
        [],
      );
    };

    it("what another key signed", async () => {
      await refusesWrongReading(signedPost(device, storyFrom(280, 310), 275, generatePrivateKey()));
      await isUnknown();
    });

    it("a signature over the other story of which a part is missing", async () => {
      const story = storyFrom(280, 310);
      story[200] = other(story[200] as Uint8Array);
      await refusesWrongReading(signedPost(device, story, 275));
      await isUnknown();
    });

    it("readings and signatures of another length", async () => {
      const post = signedPost(device, storyFrom(280, 310), 275);
      const [first, ...rest] = post.readings as string[];
      await refusesWrongReading({
        ...post,
        readings: [first as `0x${string}`, ...rest.slice(0, -1), "0x00"] as Post["readings"],
      });
      await refusesWrongReading({ ...post, signature: "0x00" });
      await isUnknown();
    });

    it("a log that only grew, or is posted again", async () => {
      assert.equal((await world.post(signedPost(device, log, 0))).status, 200);
      assert.equal((await world.post(signedPost(device, [...log, ...energies(10, 300)], 250))).status, 200);
      await isUnknown();
    });

    it("an epoch that began after another", async () => {
      const next = createDevice({ privateKey: PRIVATE_KEY, epoch: 2, interval: INTERVAL, source: 0, place: PLACE });
      const later = energies(3, 320);
      assert.equal((await world.post({ ...signedPost(next, later, 0), epoch: 2 })).status, 200);
      // what was signed in epoch 1 is still one story
      const { body } = await world.post(signedPost(device, log, 250));
      assert.equal(body.rule, "wrong epoch");
      await isUnknown();
    });
  });

  for (const [what, index, size, start] of [
    ["in a longer log", 280, 310, 275],
    ["in a shorter one", 260, 265, 255],
    ["in one of the same size", 299, 300, 299],
    ["from its first reading on", 0, 120, 0],
  ] as const) {
    it(`is shown by both heads, where the other is ${what}`, async () => {
      const story = storyFrom(index, size);
      await refusesWrongReading(signedPost(device, story, start));
      const { status, body } = await get();
      assert.equal(status, 200);
      assert.deepEqual(
        [body.keyId, body.epoch, body.status, body.seenAt],
        [toHex(device.keyId), 1, "active", world.now],
      );
      const { first, second, firstSignature, secondSignature, one, other: theOther, key } = body.equivocation;
      assert.ok(first.size <= second.size);
      assert.deepEqual([first.size, second.size].sort(), [300, size].sort());
      assert.deepEqual([one.index, theOther.index], [index, index]);
      assert.notEqual(one.reading, theOther.reading);
      const publicKey = fromHex(key.x + key.y.slice(2));
      for (const [head, signature, placed] of [
        [first, firstSignature, one],
        [second, secondSignature, theOther],
      ]) {
        const signed = { ...head, reading: fromHex(head.reading), root: fromHex(head.root) };
        const bytes = fromHex(signature.r + signature.s.slice(2));
        assert.ok((await verify(encodeHead(HEAD_DOMAIN, signed), bytes, publicKey)).ok);
        const proof = placed.proof.map(fromHex);
        assert.ok(verifyInclusion(fromHex(placed.reading), index, head.size, proof, signed.root).ok);
      }
    });
  }

  it("is known also of an epoch that is over", async () => {
    const next = createDevice({ privateKey: PRIVATE_KEY, epoch: 2, interval: INTERVAL, source: 0, place: PLACE });
    assert.equal((await world.post({ ...signedPost(next, energies(3, 320), 0), epoch: 2 })).status, 200);
    const { body } = await world.post(signedPost(device, storyFrom(280, 310), 275));
    assert.equal(body.rule, "wrong epoch");
    assert.equal((await get()).body.equivocation.one.index, 280);
  });

  it("is told of once, in the stream, the log and the metrics, however often it is shown", async () => {
    for (const index of [280, 290, 280]) await refusesWrongReading(signedPost(device, storyFrom(index, 310), 275));
    assert.deepEqual(
      told.filter(({ kind }) => kind === "equivocation").map(({ data }) => data),
      [{ key_id: toHex(device.keyId), epoch: 1, index: 280, first_size: 300, second_size: 310 }],
    );
    assert.match((await world.app.inject("/metrics")).body, /^wattwitness_equivocations 1$/m);
    const { equivocations } = (await get("/equivocations")).body;
    assert.deepEqual(
      equivocations.map(({ keyId, epoch }: { keyId: string; epoch: number }) => [keyId, epoch]),
      [[toHex(device.keyId), 1]],
    );
  });

  it("is known after a restart, when heads were forgotten that it is of", async () => {
    await refusesWrongReading(signedPost(device, storyFrom(280, 310), 275));
    const before = await get();
    assert.equal((await world.post(signedPost(device, [...log, ...energies(10, 300)], 300))).status, 200);
    await (await world.oracle.store.logs.get(toHex(device.keyId), 1))?.prune(310, []);
    await world.restart();
    assert.deepEqual(await get(), before);
  });

  it("is a call that anybody can make", async () => {
    await refusesWrongReading(signedPost(device, storyFrom(280, 310), 275));
    const { call } = (await get()).body;
    assert.match(call.data, /^0x[0-9a-f]{1000,}$/);
    assert.equal(call.to, undefined);
  });

  it("is said in the log, and kept by one of two oracles that see it at once", async () => {
    const store = await openStore(await temporaryDirectory());
    const lines: string[] = [];
    const logger = pino({ level: "warn" }, { write: (line: string) => void lines.push(line) });
    const kept: KeptEquivocation[] = [];
    const oracleOn = async () =>
      createEquivocations({
        records: await store.records<KeptEquivocation>("equivocations"),
        ...{ headDomain: HEAD_DOMAIN, now: () => START, logger, onKept: (one) => void kept.push(one) },
      });
    const oracles = [await oracleOn(), await oracleOn()];
    const stored = await world.oracle.store.logs.get(toHex(device.keyId), 1);
    assert.ok(stored);
    const post = signedPost(device, storyFrom(280, 310), 275);
    const shown: Told = { size: 310, readings: post.readings.map(fromHex), signature: fromHex(post.signature) };
    await Promise.all(oracles.map((oracle) => oracle.witness(stored, toHex(device.publicKey), shown)));
    assert.equal(kept.length, 1);
    assert.equal(await oracles[0]?.count(), 1);
    const said = lines.map((line) => JSON.parse(line));
    assert.deepEqual(
      said.map(({ msg, keyId, epoch, first, second }) => [msg, keyId, epoch, first, second]),
      [["a device told two stories of one log: both heads are kept", toHex(device.keyId), 1, 300, 310]],
    );
  });
});
