import assert from "node:assert/strict";
import {
  CONDITIONS,
  checkReadings,
  conditionsOf,
  createLog,
  domain,
  encodeClaim,
  encodeHead,
  energyOf,
  fromHex,
  generatePrivateKey,
  headHash,
  timestampOf,
  toHex,
  verify,
} from "../../protocol/index.ts";
import { createDevice, type Device, type DeviceOptions, POST_LIMIT } from "../device.ts";
import { type Send, upload } from "../upload.ts";

const PLACE = { chainId: 31337, registry: "0x5fbdb2315678afecb367f032d93f642f64180aa3" };
const START = 1_773_964_800; // a full hour

function newDevice(options: Partial<DeviceOptions> = {}): Device {
  const device = createDevice({
    privateKey: generatePrivateKey(),
    epoch: 1,
    interval: 60,
    source: 0,
    place: PLACE,
    ...options,
  });
  device.synchronise(START);
  return device;
}

/** `count` readings, one an interval from `start` on, the register growing by 10 mWh from `register` on. */
function fill(device: Device, count: number, start = START, register = 0n): void {
  for (let i = 0; i < count; i++) {
    device.take(start + i * device.interval, { power: 600n, register: register + BigInt(i) * 10n });
  }
}

const take = (device: Device, minute: number, register: bigint, more: object = {}): Uint8Array | undefined =>
  device.take(START + minute * 60, { power: 600n, register, ...more });

describe("a device", () => {
  it("refuses an interval that does not divide a quarter of an hour", () => {
    assert.throws(() => newDevice({ interval: 7 }), RangeError);
  });

  describe("its clock", () => {
    it("takes no reading before the first synchronisation of a boot", () => {
      const device = newDevice();
      assert.ok(take(device, 1, 0n));
      device.reboot();
      assert.equal(take(device, 2, 10n), undefined);
      device.synchronise(START + 120);
      assert.ok(take(device, 3, 10n));
    });

    it("takes no reading off the interval", () => {
      assert.equal(newDevice().take(START + 61, { power: 0n, register: 0n }), undefined);
    });

    it("takes no reading while the clock is not after the last one", () => {
      const device = newDevice();
      take(device, 5, 0n);
      assert.equal(take(device, 5, 10n), undefined);
      assert.equal(take(device, 4, 10n), undefined);
      assert.equal(device.size, 1);
    });

    it("leaves a missed moment a gap and loses none of its energy", () => {
      const device = newDevice();
      take(device, 1, 0n);
      const reading = take(device, 4, 30n);
      assert.ok(reading);
      assert.equal(device.size, 2);
      assert.equal(energyOf(reading), 30n);
    });

    it("says that it drifts after a day without synchronisation", () => {
      const device = newDevice();
      const day = 24 * 60;
      assert.equal(conditionsOf(take(device, day, 0n) as Uint8Array), 0);
      assert.equal(conditionsOf(take(device, day + 1, 0n) as Uint8Array), CONDITIONS.drifting);
      device.synchronise(START + (day + 1) * 60);
      assert.equal(conditionsOf(take(device, day + 2, 0n) as Uint8Array), 0);
    });
  });

  describe("its register", () => {
    it("starts at zero, whatever the meter shows", () => {
      const device = newDevice();
      assert.equal(energyOf(take(device, 1, 5_000_000n) as Uint8Array), 0n);
      assert.equal(energyOf(take(device, 2, 5_000_007n) as Uint8Array), 7n);
    });

    it("does not count a meter's reset, and goes on from there once that has stood for a quarter of an hour", () => {
      const device = newDevice();
      take(device, 1, 100n);
      take(device, 2, 150n);
      for (let minute = 3; minute < 18; minute++) {
        const reset = take(device, minute, BigInt(minute)) as Uint8Array;
        assert.equal(energyOf(reset), 50n);
        assert.equal(conditionsOf(reset), CONDITIONS.discontinuous);
      }
      const next = take(device, 18, 18n) as Uint8Array;
      assert.equal(energyOf(next), 65n);
      assert.equal(conditionsOf(next), 0);
    });

    it("does not count a jump that the installation cannot make", () => {
      const device = newDevice({ capacity: 1000 });
      take(device, 0, 0n);
      const honest = take(device, 1, 266_666n) as Uint8Array; // a minute and a quarter of an hour at 1 kW, in one step
      assert.equal(energyOf(honest), 266_666n);
      const jump = take(device, 2, 266_666n + 16_668n) as Uint8Array;
      assert.equal(energyOf(jump), 266_666n);
      assert.equal(conditionsOf(jump), CONDITIONS.discontinuous);
      assert.ok(checkReadings(device.readings, 1000).ok);
    });

    it("repeats its energy while the meter calls itself invalid, and then catches up", () => {
      const device = newDevice();
      take(device, 1, 0n);
      const invalid = take(device, 2, 999n, { valid: false }) as Uint8Array;
      assert.equal(energyOf(invalid), 0n);
      assert.equal(conditionsOf(invalid), CONDITIONS.invalid);
      assert.equal(energyOf(take(device, 3, 20n) as Uint8Array), 20n);
    });

    it("survives a reboot together with the log, and counts what the meter counted meanwhile", () => {
      const device = newDevice();
      fill(device, 3);
      device.reboot();
      device.synchronise(START + 600);
      assert.equal(energyOf(take(device, 11, 500n) as Uint8Array), 500n);
      assert.equal(device.size, 4);
      assert.equal(device.epoch, 1);
    });

    it("starts again from zero in a new epoch when it is lost", () => {
      const device = newDevice();
      fill(device, 3, START, 1000n);
      device.loseRegister();
      const first = take(device, 10, 9000n) as Uint8Array;
      assert.equal(device.epoch, 2);
      assert.equal(device.size, 1);
      assert.equal(energyOf(first), 0n);
      assert.equal(energyOf(take(device, 11, 9004n) as Uint8Array), 4n);
    });
  });

  it("says that it was opened until the epoch ends", () => {
    const device = newDevice();
    device.tamper();
    assert.equal(conditionsOf(take(device, 1, 0n) as Uint8Array), CONDITIONS.tamper);
    assert.equal(conditionsOf(take(device, 2, 0n) as Uint8Array), CONDITIONS.tamper);
    device.loseRegister();
    assert.equal(conditionsOf(take(device, 3, 0n) as Uint8Array), 0);
  });

  describe("what it signs", () => {
    it("is the head of its log, of today's size or of an earlier one", async () => {
      const device = newDevice();
      fill(device, 5);
      for (const size of [5, 3]) {
        const head = device.head(size);
        assert.equal(toHex(head.root), toHex(createLog(device.readings.slice(0, size)).root()));
        assert.equal(head.reading, device.readings[size - 1]);
        const verified = await verify(encodeHead(domain("head", PLACE), head), head.signature, device.publicKey);
        assert.ok(verified.ok);
      }
    });

    it("is the claim that an owner registers it with, over its newest head", async () => {
      const device = newDevice();
      fill(device, 2);
      const owner = `0x${"ab".repeat(20)}`;
      const registration = device.registration({ owner, capacity: 5000, details: new Uint8Array(32) });
      const claim = encodeClaim(domain("claim", PLACE), {
        meter: device.keyId,
        keyId: device.keyId,
        owner,
        headHash: headHash(encodeHead(domain("head", PLACE), device.head())),
      });
      assert.equal(registration.baseline.size, 2);
      assert.ok((await verify(claim, fromHex(registration.claim), device.publicKey)).ok);
    });
  });

  describe("its uploads", () => {
    const NOW = START + 86_400;

    it("are of at most 8,192 readings, each ending at a head of its own", () => {
      const device = newDevice({ interval: 1 });
      fill(device, 2 * POST_LIMIT + 100, START + 1);
      const sizes: number[] = [];
      for (let post = device.nextPost(); post; post = device.nextPost()) {
        assert.ok(post.readings.length <= POST_LIMIT);
        assert.equal(post.signature, toHex(device.head(post.size).signature));
        assert.equal(post.size - post.readings.length, sizes.at(-1) ?? 0);
        sizes.push(post.size);
        device.answered(post, { status: 200, body: {} }, NOW);
      }
      assert.equal(sizes.at(-1), device.size);
    });

    it("end at a full hour where there is one, so that a head stands there", () => {
      const device = newDevice();
      fill(device, 150, START + 60);
      const post = device.nextPost();
      assert.ok(post);
      assert.equal(timestampOf(device.readings[post.size - 1] as Uint8Array), START + 7200);
    });

    it("end when everything is acknowledged", () => {
      const device = newDevice();
      assert.equal(device.nextPost(), undefined);
      fill(device, 1);
      const post = device.nextPost();
      assert.ok(post);
      assert.equal(device.answered(post, { status: 200, body: {} }, NOW), "stored");
      assert.equal(device.nextPost(), undefined);
    });

    it("go on from the size that the oracle has", () => {
      const device = newDevice();
      fill(device, 30, START + 60);
      const post = device.nextPost();
      assert.ok(post);
      assert.equal(device.answered(post, { status: 409, body: { size: 12 } }, NOW), "resend");
      assert.equal(device.nextPost()?.readings.length, 18);
    });

    it("are tried again after an answer that decides nothing", () => {
      const device = newDevice();
      fill(device, 3);
      const post = device.nextPost();
      assert.ok(post);
      for (const status of [0, 400, 404, 413, 425, 429, 500, 503]) {
        assert.equal(device.answered(post, { status, body: undefined }, NOW), "later");
      }
      assert.deepEqual(device.nextPost(), post);
      assert.equal(device.epoch, 1);
    });

    it("begin a new epoch after a refusal for good, its register going on, at most once a day", () => {
      const device = newDevice();
      fill(device, 3);
      const refuse = (now: number) => {
        const post = device.nextPost();
        assert.ok(post);
        return device.answered(post, { status: 422, body: {} }, now);
      };
      assert.equal(refuse(NOW), "refused");
      assert.equal(device.epoch, 2);
      assert.equal(energyOf(take(device, 60, 100n) as Uint8Array), 100n);
      assert.equal(refuse(NOW + 86_399), "later");
      assert.equal(device.epoch, 2);
      assert.equal(refuse(NOW + 86_400), "refused");
      assert.equal(device.epoch, 3);
    });

    it("begin a new epoch when the oracle has more of this log than the device", () => {
      const device = newDevice();
      fill(device, 3);
      const post = device.nextPost();
      assert.ok(post);
      assert.equal(device.answered(post, { status: 409, body: { size: 4 } }, NOW), "refused");
      assert.equal(device.epoch, 2);
    });

    it("stop at an oracle that asks for the same readings for ever", async () => {
      const device = newDevice();
      fill(device, 3);
      let posts = 0;
      const send: Send = async () => {
        posts += 1;
        return { status: 409, body: { size: 0 } };
      };
      const last = await upload(device, send, () => NOW);
      assert.equal(last?.outcome, "resend");
      assert.equal(posts, 2);
    });

    it("are left alone once everything is stored", async () => {
      const device = newDevice();
      fill(device, 130, START + 60);
      const last = await upload(
        device,
        async () => ({ status: 200, body: {} }),
        () => NOW,
      );
      assert.equal(last?.outcome, "stored");
      assert.equal(device.acknowledged, 130);
      assert.equal(
        await upload(
          device,
          async () => assert.fail("nothing is left to post"),
          () => NOW,
        ),
        undefined,
      );
    });
  });
});
