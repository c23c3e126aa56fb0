import assert from "node:assert/strict";
import fc from "fast-check";
import { createDevice, type Device, type Post } from "../../../meter/device.ts";
import { concat } from "../../../protocol/bytes.ts";
import {
  CONDITIONS,
  checkReadings,
  createLog,
  domain,
  encodeHead,
  energyOf,
  fromHex,
  generatePrivateKey,
  ORDER,
  sign,
  timestampOf,
  toHex,
} from "../../../protocol/index.ts";
import { checkSteps, POST_LIMIT } from "../../accepting/readings.ts";
import {
  CAPACITY,
  INTERVAL,
  newWorld,
  PLACE,
  postOf,
  readingAt,
  removeDirectories,
  START,
  type World,
} from "../support.ts";

const PRIVATE_KEY: Uint8Array = new Uint8Array(32).fill(7);
const HEAD_DOMAIN = domain("head", PLACE);

/** A device of a known key, so that a test can sign what a device would not. */
const newDevice = (privateKey = PRIVATE_KEY): Device => {
  const device = createDevice({ privateKey, epoch: 1, interval: INTERVAL, source: 0, place: PLACE });
  device.synchronise(START);
  return device;
};

/** A post of `readings` from `start` on, properly signed over the log that `before` and they make. */
function signedPost(
  device: Device,
  before: readonly Uint8Array[],
  readings: readonly Uint8Array[],
  { headDomain = HEAD_DOMAIN, epoch = device.epoch, privateKey = PRIVATE_KEY } = {},
): Post {
  const size = before.length + readings.length;
  const head = {
    epoch,
    size,
    reading: readings.at(-1) as Uint8Array,
    root: createLog([...before, ...readings]).root(),
  };
  return postOf(device, readings, { epoch, size, signature: toHex(sign(encodeHead(headDomain, head), privateKey)) });
}

describe("the oracle, given readings", () => {
  let world: World;
  let device: Device;
  /** the log that the oracle has before each test: ten readings, registered and stored */
  let log: Uint8Array[];
  const next = (energy = 0n, more = {}) => readingAt(START + 110, energy, more);

  beforeEach(async () => {
    world = await newWorld();
    device = newDevice();
    for (let i = 1; i <= 10; i++) device.take(START + i * INTERVAL, { power: 0n, register: 1000n * BigInt(i) });
    log = [...device.readings];
    await world.register(device);
    world.now = START + 200;
    await world.upload(device);
  });
  afterEach(removeDirectories);

  async function assertRefused(post: unknown, status: number, rule: string): Promise<void> {
    const answer = await world.post(post);
    assert.equal(answer.body.rule, rule, JSON.stringify(answer.body));
    assert.equal(answer.status, status);
    assert.ok(status < 409 || JSON.stringify(answer.body).length <= 512, "a device has room for the answer");
    assert.equal((await world.oracle.store.logs.get(toHex(device.keyId), 1))?.size, 10, "the log is as before");
  }

  const honest = () => signedPost(device, log, [next(9000n)]);

  describe("refuses what is not even a post:", () => {
    for (const [what, change] of [
      ["a field left out", { signature: undefined }],
      ["an unknown field", { note: "please" }],
      ["a number as text", { size: "11" }],
      ["a size that is no whole number", { size: 10.5 }],
      ["a negative epoch", { epoch: -1 }],
      ["hexadecimal without 0x", { signature: "ab" }],
      ["half a byte", { readings: ["0xabc"] }],
      ["letters that are no digits", { readings: [`0x${"zz".repeat(32)}`] }],
      ["a key id that is a path", { keyId: "../../etc" }],
    ] as const) {
      it(what, async () => {
        await assertRefused({ ...honest(), ...change }, 400, "malformed");
      });
    }

    it("text that is no JSON", async () => {
      const response = await world.app.inject({
        method: "POST",
        url: "/readings",
        headers: { "content-type": "application/json" },
        payload: "{",
      });
      assert.equal(response.statusCode, 400);
      assert.equal(response.json().rule, "malformed");
    });

    it("a body beyond a megabyte", async () => {
      await assertRefused({ ...honest(), note: "a".repeat(1_000_001) }, 413, "too large");
    });
  });

  it("refuses a meter that the chain does not know", async () => {
    const stranger = newDevice(generatePrivateKey());
    stranger.take(START + 10, { power: 0n, register: 0n });
    await assertRefused(stranger.nextPost(), 404, "unknown meter");
  });

  it("refuses the key of a meter that was decommissioned", async () => {
    world.chain.act({ keyId: toHex(device.keyId), act: "decommission" });
    await world.oracle.tick();
    await assertRefused(honest(), 410, "key ended");
  });

  it("refuses more than 8,192 readings", async () => {
    const readings = Array.from({ length: POST_LIMIT + 1 }, () => next());
    await assertRefused(postOf(device, readings, { size: 10 + readings.length }), 413, "too many readings");
  });

  it("refuses a post without readings", async () => {
    await assertRefused(postOf(device, [], { size: 10 }), 422, "count zero");
  });

  it("refuses a size that its readings exceed, and one beyond every log", async () => {
    await assertRefused(postOf(device, [next()], { size: 0 }), 422, "size out of range");
    await assertRefused(postOf(device, [next(), next()], { size: 1 }), 422, "size out of range");
    await assertRefused(postOf(device, [next()], { size: 2 ** 40 }), 422, "size out of range");
  });

  it("refuses an epoch before the newest, stored or settled", async () => {
    await assertRefused({ ...honest(), epoch: 0 }, 422, "wrong epoch");
    device.loseRegister();
    device.take(START + 120, { power: 0n, register: 0n });
    await world.upload(device);
    await assertRefused(signedPost(device, log, [next()], { epoch: 1 }), 422, "wrong epoch");
  });

  it("answers a gap with the size it has, also of a log it has nothing of", async () => {
    const post = signedPost(device, [...log, next()], [readingAt(START + 120, 9000n)]);
    await assertRefused(post, 409, "gap");
    assert.equal((await world.post(post)).body.size, 10);
    assert.equal((await world.post({ ...post, epoch: 2 })).body.size, 0);
  });

  it("refuses another reading in a place that it has, and loses nothing", async () => {
    const changed = readingAt(START + 100, 9999n);
    const post = signedPost(device, log.slice(0, 9), [changed, next(9999n)]);
    await assertRefused(post, 422, "wrong reading");
    assert.equal((await world.post(post)).body.index, 9);
    assert.deepEqual(await (await world.oracle.store.logs.get(toHex(device.keyId), 1))?.readings(9, 10), [log[9]]);
  });

  it("accepts again what it has, without storing it again", async () => {
    const again = signedPost(device, log.slice(0, 4), log.slice(4, 8));
    assert.deepEqual(await world.post(again), { status: 200, body: { size: 10 } });
    assert.equal((await (await world.oracle.store.logs.get(toHex(device.keyId), 1))?.headsAfter(0))?.length, 1);
  });

  it("accepts a post that begins before its end and goes on after", async () => {
    const post = signedPost(device, log.slice(0, 4), [...log.slice(4), next(9000n)]);
    assert.deepEqual(await world.post(post), { status: 200, body: { size: 11 } });
  });

  it("refuses a reading that is not 32 bytes", async () => {
    const post = honest();
    await assertRefused({ ...post, readings: [`${post.readings[0]}00`] }, 422, "wrong length");
    await assertRefused({ ...post, readings: ["0x"] }, 422, "wrong length");
  });

  it("refuses reserved bits of source and conditions", async () => {
    for (const [at, bit] of [
      [30, 0x20],
      [31, 0x10],
    ] as const) {
      const reading = next(9000n);
      reading[at] = bit;
      await assertRefused(signedPost(device, log, [reading]), 422, "reserved bits");
    }
  });

  it("refuses another channel or register than the registered one", async () => {
    await assertRefused(signedPost(device, log, [next(9000n, { source: 1 })]), 422, "source mismatch");
    await assertRefused(signedPost(device, log, [next(9000n, { source: 0x10 })]), 422, "source mismatch");
  });

  it("refuses time that does not go forward, also over the step between posts", async () => {
    await assertRefused(signedPost(device, log, [readingAt(START + 100, 9000n)]), 422, "time not forward");
    const post = signedPost(device, log, [next(9000n), readingAt(START + 110, 9000n)]);
    await assertRefused(post, 422, "time not forward");
  });

  it("refuses energy that goes backward, also over the step between posts", async () => {
    await assertRefused(signedPost(device, log, [next(8999n)]), 422, "energy backward");
    const post = signedPost(device, log, [next(9001n), readingAt(START + 120, 9000n)]);
    await assertRefused(post, 422, "energy backward");
  });

  it("refuses one mWh beyond the capacity and a quarter of an hour in hand", async () => {
    // the ten readings rose by 1,000 mWh in ten seconds, far below 5 kW: the bucket is empty
    const most = 9000n + (BigInt(CAPACITY) * 1000n * (900n + 10n)) / 3600n;
    await assertRefused(signedPost(device, log, [next(most + 1n)]), 422, "beyond capacity");
    assert.equal((await world.post(signedPost(device, log, [next(most)]))).status, 200);
  });

  it("keeps the capacity bucket over the step between posts", async () => {
    const full = 9000n + (BigInt(CAPACITY) * 1000n * (900n + 10n)) / 3600n;
    const first = next(full);
    assert.equal((await world.post(signedPost(device, log, [first]))).status, 200);
    const drained = (BigInt(CAPACITY) * 1000n * 10n) / 3600n;
    const post = signedPost(device, [...log, first], [readingAt(START + 120, full + drained + 2n)]);
    assert.equal((await world.post(post)).body.rule, "beyond capacity");
    await world.restart();
    assert.equal((await world.post(post)).body.rule, "beyond capacity");
  });

  it("refuses a reading more than five minutes ahead of the clock until the clock is there", async () => {
    const ahead = readingAt(world.now + 301, 9000n);
    await assertRefused(signedPost(device, log, [ahead]), 425, "time ahead");
    world.now += 1;
    assert.equal((await world.post(signedPost(device, log, [ahead]))).status, 200);
  });

  describe("refuses what the device did not sign:", () => {
    it("a changed reading", async () => {
      const post = honest();
      await assertRefused({ ...post, readings: [toHex(next(9001n))] }, 422, "bad signature");
    });

    it("a reordered, a dropped and a doubled reading", async () => {
      const [a, b, c] = [1, 2, 3].map((i) => readingAt(START + 100 + i * 10, 9000n)) as [
        Uint8Array,
        Uint8Array,
        Uint8Array,
      ];
      const post = signedPost(device, log, [a, b, c]);
      const told = (...readings: Uint8Array[]) => ({
        ...post,
        size: 10 + readings.length,
        readings: readings.map(toHex),
      });
      await assertRefused(told(b, a, c), 422, "time not forward");
      await assertRefused(told(a, c), 422, "bad signature");
      await assertRefused(told(a, a, b, c), 422, "time not forward");
    });

    it("a head of another key", async () => {
      await assertRefused(
        signedPost(device, log, [next(9000n)], { privateKey: generatePrivateKey() }),
        422,
        "bad signature",
      );
    });

    for (const [what, headDomain] of [
      ["another chain", domain("head", { ...PLACE, chainId: 1 })],
      ["another registry", domain("head", { ...PLACE, registry: `0x${"60".repeat(20)}` })],
      ["another kind of statement", domain("claim", PLACE)],
    ] as const) {
      it(`a head for ${what}`, async () => {
        await assertRefused(signedPost(device, log, [next(9000n)], { headDomain }), 422, "bad signature");
      });
    }

    it("a head of another epoch", async () => {
      const post = signedPost(device, log, [next(9000n)], { epoch: 2 });
      await assertRefused({ ...post, epoch: 1 }, 422, "bad signature");
    });

    it("an older signature, replayed", async () => {
      const old = signedPost(device, [], log);
      await assertRefused({ ...honest(), signature: old.signature }, 422, "bad signature");
    });

    it("a high s", async () => {
      const post = honest();
      const signature = fromHex(post.signature);
      const s = ORDER - BigInt(toHex(signature.subarray(32)));
      const high = concat(signature.subarray(0, 32), fromHex(s.toString(16).padStart(64, "0")));
      await assertRefused({ ...post, signature: toHex(high) }, 422, "high s");
    });

    it("a signature of the wrong length", async () => {
      const post = honest();
      await assertRefused({ ...post, signature: post.signature.slice(0, -2) }, 422, "wrong length");
    });
  });

  it("makes no folder for a log that nobody signed", async () => {
    await world.post(postOf(device, [readingAt(START + 120, 0n)], { epoch: 99 }));
    assert.equal(await world.oracle.store.logs.get(toHex(device.keyId), 99), undefined);
    await world.restart();
    assert.deepEqual(
      (await world.oracle.store.logs.of(toHex(device.keyId))).map(({ epoch }) => epoch),
      [1],
    );
  });

  it("stores drifting and tampered readings: only heads that end in one do not settle", async () => {
    const post = signedPost(device, log, [next(9000n, { conditions: CONDITIONS.drifting | CONDITIONS.tamper })]);
    assert.equal((await world.post(post)).status, 200);
  });

  describe("of a new epoch", () => {
    const first = (timestamp: number, energy: bigint) =>
      signedPost(device, [], [readingAt(timestamp, energy)], { epoch: 2 });

    it("refuses a first reading not later than the last of the epochs before", async () => {
      await assertRefused(first(START + 100, 0n), 422, "time not forward");
    });

    it("refuses a register that went on faster than the capacity", async () => {
      const most = 9000n + (BigInt(CAPACITY) * 1000n * (900n + 10n)) / 3600n;
      await assertRefused(first(START + 110, most + 1n), 422, "beyond capacity");
      assert.equal((await world.post(first(START + 110, most))).status, 200);
    });

    it("accepts a register that was lost", async () => {
      assert.equal((await world.post(first(START + 110, 0n))).status, 200);
    });
  });

  describe("of a key that another succeeded", () => {
    const after = () => [readingAt(START + 120, 9000n), readingAt(START + 130, 9000n)];

    /** From START + 120 on the successor's readings count. */
    beforeEach(async () => {
      const successor = newDevice(generatePrivateKey());
      successor.take(START + 120, { power: 0n, register: 0n });
      await world.rotate(device, successor);
    });

    it("refuses what it measures from then on", async () => {
      await assertRefused(signedPost(device, log, after()), 410, "key ended");
      assert.equal((await world.post(signedPost(device, log, after()))).body.until, START + 120);
    });

    it("accepts what it measured before, also where the head that it signed comes after", async () => {
      const post = signedPost(device, log, [next(9000n), ...after()]);
      assert.deepEqual(await world.post(post), { status: 200, body: { size: 13 } });
    });
  });

  it("accepts what the successor of a key measures, and what that key signed for it not", async () => {
    const privateKey = generatePrivateKey();
    const successor = newDevice(privateKey);
    successor.take(START + 120, { power: 0n, register: 0n });
    await world.rotate(device, successor);
    const forged = signedPost(successor, [], successor.readings, { privateKey: PRIVATE_KEY });
    await assertRefused(forged, 422, "bad signature");
    await world.upload(successor);
    assert.equal((await world.oracle.store.logs.get(toHex(successor.keyId), 1))?.size, 1);
  });

  it("accepts what a frozen meter measures: it is evidence, and provable", async () => {
    world.chain.act({ keyId: toHex(device.keyId), act: "freeze" });
    await world.oracle.tick();
    assert.equal((await world.post(honest())).status, 200);
  });

  it("holds readings against the capacity that the meter has now", async () => {
    world.chain.act({ keyId: toHex(device.keyId), act: 1 });
    await world.oracle.tick();
    const most = 9000n + (1000n * (900n + 10n)) / 3600n;
    await assertRefused(signedPost(device, log, [next(most + 1n)]), 422, "beyond capacity");
  });

  it("refuses readings that are not those of the baseline on chain", async () => {
    const other = newDevice(generatePrivateKey());
    for (let i = 1; i <= 3; i++) other.take(START + i * INTERVAL, { power: 0n, register: 0n });
    const privateKey = generatePrivateKey();
    const registered = createDevice({ privateKey, epoch: 1, interval: INTERVAL, source: 0, place: PLACE });
    registered.synchronise(START);
    for (let i = 1; i <= 3; i++) registered.take(START + i * INTERVAL, { power: 5n, register: 0n });
    await world.register(registered);
    const post = (readings: readonly Uint8Array[], before: readonly Uint8Array[] = []) =>
      world.post(signedPost(registered, before, readings, { privateKey }));

    const answer = await post(other.readings);
    assert.equal(answer.body.rule, "log inconsistent");
    const longer = await post([...other.readings, readingAt(START + 50, 0n)]);
    assert.equal(longer.body.rule, "log inconsistent");
    assert.equal((await post(registered.readings.slice(0, 2))).status, 200);
    assert.equal((await post(registered.readings.slice(2), registered.readings.slice(0, 2))).status, 200);
  });

  it("answers two posts of one key at once one after the other", async () => {
    const meter = await world.newMeter();
    const { readings } = meter.device;
    const half = { ...(meter.device.nextPost() as Post) };
    const head = meter.device.head(5);
    const early = { ...half, size: 5, readings: readings.slice(0, 5).map(toHex), signature: toHex(head.signature) };
    const answers = await Promise.all([world.post(early), world.post(half), world.post(early)]);
    assert.deepEqual(
      answers.map(({ status, body }) => [status, body.size]),
      [
        [200, 5],
        [200, 10],
        [200, 10],
      ],
    );
  });
});

describe("a bucket that goes on over the log", () => {
  const step = fc.record({ seconds: fc.integer({ min: 1, max: 2000 }), energy: fc.bigInt({ min: 0n, max: 600_000n }) });

  it("never accepts what a segment of it, wherever it begins, would be refused for", () => {
    let acceptedOnes = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), fc.nat(), fc.nat(), (steps, a, b) => {
        let [timestamp, energy] = [START, 0n];
        const readings = steps.map((taken) => {
          [timestamp, energy] = [timestamp + taken.seconds, energy + taken.energy];
          return readingAt(timestamp, energy);
        });
        const post = a % readings.length;
        const first = checkSteps(undefined, readings.slice(0, post + 1), 1000);
        if (!first.ok) return;
        const last = readings[post] as Uint8Array;
        const start = { timestamp: timestampOf(last), energy: energyOf(last), bucket: first.bucket, mayDrop: false };
        if (!checkSteps(start, readings.slice(post + 1), 1000).ok) return;
        acceptedOnes += 1;
        assert.ok(checkReadings(readings.slice(b % readings.length), 1000).ok);
      }),
    );
    assert.ok(acceptedOnes > 0);
  });
});
