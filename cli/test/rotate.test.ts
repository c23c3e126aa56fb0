import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Hex } from "viem";
import { ACCOUNTS } from "../../demo/deployment.ts";
import type { SoftDevice } from "../../demo/rotation.ts";
import type { Meter } from "../../meter/meter.ts";
import { domain, encodeRotation, fromHex, ORDER, type Place, sign, toHex } from "../../protocol/index.ts";
import { CAPACITY, createSystem, createTestMeter, type System } from "../../test/support.ts";
import { MAIN, wattwitness } from "./support.ts";

/** 2026-03-20T09:00:00Z */
const START = 1_773_997_200;
const HOUR = 3600;
const DAY = 24 * HOUR;
const NOBODY = `0x${"00".repeat(31)}01` as const;

type TestMeter = Meter & SoftDevice;

describe("another key of a meter", function () {
  this.timeout(120_000);
  let system: System;
  let folder: string;
  /** Unix time that the chain has come to, s */
  let now = START;
  /** which stays as it is */
  let current: TestMeter;
  let meter: Hex;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "wattwitness-cli-"));
    system = await createSystem(START);
    current = await registered(1);
    meter = toHex(current.device.keyId);
    await until(START + 3 * HOUR);
  });
  after(async () => {
    await system?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function until(timestamp: number): Promise<void> {
    await system.at(timestamp);
    now = timestamp;
  }

  const device = (seed: number, options: { place?: Place; source?: number } = {}): TestMeter =>
    createTestMeter(system, { powerAt: () => 3_000_000n, start: now - 3 * HOUR, seed, ...options });

  async function registered(seed: number): Promise<TestMeter> {
    const made = device(seed);
    made.advance(now);
    await system.register(made.device);
    return made;
  }

  const owner = () => system.chain.wallet(ACCOUNTS.firstOwner).account.address;

  /** What the new device hands in: its claim to succeed at the meter, after a reading of `at`. */
  function applied(next: TestMeter, { at = now, of = owner(), to = meter }: { at?: number; of?: Hex; to?: Hex } = {}) {
    next.advance(at);
    const terms = { owner: of, capacity: CAPACITY, details: new Uint8Array(32), meter: fromHex(to) };
    return JSON.stringify(next.device.registration(terms));
  }

  type Said = { meter?: Hex; by?: TestMeter; place?: Place; highS?: boolean };

  /** What the old device's console prints for rotate, between a prompt and the next. */
  function rotated(
    next: TestMeter,
    { meter: of = meter, by = current, place = system.place, highS }: Said = {},
  ): string {
    const statement = encodeRotation(domain("rotate", place), { meter: fromHex(of), newKeyId: next.device.keyId });
    const signature = sign(statement, by.privateKey);
    const s = ORDER - BigInt(toHex(signature.subarray(32)));
    const high = `${toHex(signature.subarray(0, 32))}${s.toString(16).padStart(64, "0")}`;
    return [
      "> 3f2a",
      `meter         ${of}`,
      `old key id    ${toHex(by.device.keyId)}`,
      `new key id    ${toHex(next.device.keyId)}`,
      `rotation      ${highS ? high : toHex(signature)}`,
      "> ",
    ].join("\r\n");
  }

  const chain = () => ({ WATTWITNESS_RPC_URL: system.chain.url, WATTWITNESS_REGISTRY: system.deployment.registry });
  const by = (account: number, ...args: string[]) =>
    wattwitness(["meter", ...args], { ...chain(), WATTWITNESS_KEY: system.chain.key(account) });
  const written = async (name: string, text: string) => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  type Rotating = { of?: Hex; account?: number; more?: string[] };
  const rotate = async (application: string, rotation: string, { of = meter, account, more = [] }: Rotating = {}) =>
    by(
      ...[account ?? ACCOUNTS.firstOwner, "rotate", of, "--yes", ...more],
      ...["--application", await written("new.json", application), "--rotation", await written("old.txt", rotation)],
    );
  const refused = async (ended: ReturnType<typeof wattwitness>, why: RegExp) => {
    const { code, out, err } = await ended;
    assert.equal(code, 1, out);
    assert.equal(out, "");
    assert.match(err, why);
    assert.doesNotMatch(err, /\n/);
  };
  const keyNow = async (of = meter): Promise<Hex> =>
    JSON.parse((await wattwitness(["meter", "show", of, "--json"], chain())).out).key_id;

  describe("is not rotated in", () => {
    const elsewhere = (): Place => ({ ...system.place, chainId: 1 });
    const drifting = (next: TestMeter): TestMeter => {
      next.device.tamper();
      return next;
    };

    const wrongApplications: [string, () => [TestMeter, application: (next: TestMeter) => string], RegExp][] = [
      [
        "for a meter of its own",
        () => [device(2), (next) => applied(next, { to: toHex(next.device.keyId) })],
        /claims a meter of its own: on its console, set meter 0x/,
      ],
      ["for another meter", () => [device(2), (next) => applied(next, { to: NOBODY })], /has not signed this claim/],
      [
        "for another chain",
        () => [device(2, { place: elsewhere() }), applied],
        /has not signed this claim to the meter 0x\w+ on chain 31337 and registry/,
      ],
      [
        "for another owner",
        () => [
          device(2),
          (next) => applied(next, { of: system.chain.wallet(ACCOUNTS.firstOwner + 1).account.address }),
        ],
        /claims to be 0x\w+'s, and the meter is 0x\w+'s: set owner there/,
      ],
      [
        "with a changed owner",
        () => [
          device(2),
          (next) =>
            applied(next, { of: system.chain.wallet(ACCOUNTS.firstOwner + 1).account.address }).replace(
              /"owner":"\w+"/,
              `"owner":"${owner()}"`,
            ),
        ],
        /has not signed this claim/,
      ],
      [
        "of more than an hour ago",
        () => [device(2), (next) => applied(next, { at: now - HOUR - 60 })],
        /is over an hour old\. Let the new device claim again/,
      ],
      [
        "of a time that has not come",
        () => [device(2), (next) => applied(next, { at: now + 600 })],
        /is ahead of the chain/,
      ],
      [
        "of another channel",
        () => [device(2, { source: 0x11 }), applied],
        /is of source 0x11, and the meter is registered with 0x10/,
      ],
      ["of an open enclosure", () => [drifting(device(2)), applied], /its enclosure was opened: begin-log/],
      ["by a key that is the meter's already", () => [device(1), applied], /is, or was, the meter 0x\w+'s/],
    ];
    for (const [what, made, why] of wrongApplications) {
      it(`with an application ${what}`, async () => {
        const [next, application] = made();
        await refused(rotate(application(next), rotated(next)), why);
      });
    }

    const wrongRotations: [string, Said & { to?: number }, RegExp][] = [
      ["of another meter", { meter: NOBODY }, /The rotation is of the meter 0x0+1, and not of 0x/],
      ["to another key", { to: 3 }, /The rotation is to the key 0x\w+, and the application of 0x\w+: rotate 0x/],
      ["in its other form, with a high s", { highS: true }, /The meter's key has not signed this rotation/],
    ];
    for (const [what, { to = 2, ...said }, why] of wrongRotations) {
      it(`with a rotation ${what}`, async () => {
        await refused(rotate(applied(device(2)), rotated(device(to), said)), why);
      });
    }

    it("with a rotation by another key, or in its name", async () => {
      const stranger = device(3);
      const theirs = rotated(device(2), { by: stranger });
      await refused(
        rotate(applied(device(2)), theirs),
        /is of the key 0x\w+, and the meter's is 0x\w+: ask that device/,
      );
      const claimed = theirs.replace(toHex(stranger.device.keyId), meter);
      await refused(rotate(applied(device(2)), claimed), /The meter's key has not signed this rotation/);
    });

    it("with a rotation for another chain", async () => {
      const said = rotated(device(2), { place: elsewhere() });
      await refused(rotate(applied(device(2)), said), /has not signed this rotation on chain 31337 and registry 0x/);
    });

    it("with what is no rotation, or none at all", async () => {
      await refused(rotate(applied(device(2)), "{}"), /old\.txt is no rotation, it has no line of meter with 32 bytes/);
      const short = rotated(device(2)).replace(/(rotation +0x\w+)\w{2}/, "$1");
      await refused(rotate(applied(device(2)), short), /has no line of rotation with 64 bytes/);
      const application = await written("new.json", applied(device(2)));
      const withFile = (...more: string[]) => by(ACCOUNTS.firstOwner, "rotate", meter, "--application", ...more);
      await refused(withFile(application, "--rotation", join(folder, "none")), /none cannot be read \(ENOENT\)/);
      await refused(withFile("-", "--rotation", "-"), /cannot both be standard input/);
      assert.equal((await withFile(application)).code, 2);
    });

    it("by who does not own the meter", async () => {
      const ended = rotate(applied(device(2)), rotated(device(2)), { account: ACCOUNTS.registrar });
      await refused(ended, /The meter is 0x\w+'s, who alone rotates its key/);
    });

    it("at a time that the old key has settled", async () => {
      const settledUntil = now;
      const old = await registered(10);
      await until(now + HOUR);
      const of = toHex(old.device.keyId);
      const [next, said] = [device(2), rotated(device(2), { meter: of, by: old })];
      await refused(
        rotate(applied(next, { at: settledUntil, to: of }), said, { of }),
        /is not later than what is settled/,
      );
    });

    it("at a meter that was taken down", async () => {
      const old = await registered(11);
      const of = toHex(old.device.keyId);
      const down = await by(ACCOUNTS.firstOwner, "decommission", of, "--yes");
      assert.equal(down.code, 0, down.err);
      await until(now + 60);
      const next = device(2);
      const ended = rotate(applied(next, { to: of }), rotated(next, { meter: of, by: old }), { of });
      await refused(ended, /was taken down: it gets no other key/);
    });

    it("at a meter that there is not", async () => {
      const files = ["--application", await written("a", applied(device(2))), "--rotation"];
      const ended = by(ACCOUNTS.firstOwner, "rotate", NOBODY, ...files, await written("r", rotated(device(2))));
      await refused(ended, /No meter 0x0+1 is registered/);
    });

    it("in a dry run, which says what it would do", async () => {
      const { code, out, err } = await rotate(applied(device(2)), rotated(device(2)), { more: ["--dry-run"] });
      assert.equal(code, 0, err);
      assert.match(out, /Nothing was sent/);
      assert.match(err, /does\s+rotates the meter to the key 0x.* mints nothing any more\n/);
      assert.equal(await keyNow(), meter);
    });
  });

  it("is rotated in by the owner, with what both devices print; the one before it names no successor any more", async () => {
    const old = await registered(20);
    const of = toHex(old.device.keyId);
    await until(now + HOUR);
    const next = device(21);
    const said = rotated(next, { meter: of, by: old });
    const { code, out, err } = await rotate(applied(next, { to: of }), said, { of, more: ["--json"] });
    assert.equal(code, 0, err);
    const told = JSON.parse(out);
    assert.deepEqual([told.key_id, told.previous_key_id], [toHex(next.device.keyId), of]);
    assert.equal(await keyNow(of), toHex(next.device.keyId));

    await until(now + HOUR);
    const third = device(22);
    const late = rotate(applied(third, { to: of }), rotated(third, { meter: of, by: old }), { of });
    await refused(late, /is of the key 0x\w+, and the meter's is 0x\w+: ask that device/);
    const again = await rotate(applied(third, { to: of }), rotated(third, { meter: of, by: next }), { of });
    assert.equal(again.code, 0, again.err);
  });

  it("is rotated in with a rotation from standard input", async () => {
    const old = await registered(23);
    const of = toHex(old.device.keyId);
    await until(now + HOUR);
    const next = device(24);
    const application = await written("new.json", applied(next, { to: of }));
    const { code, err } = await wattwitness(
      ["meter", "rotate", of, "--application", application, "--rotation", "-", "--yes"],
      { ...chain(), WATTWITNESS_KEY: system.chain.key(ACCOUNTS.firstOwner) },
      MAIN,
      { input: rotated(next, { meter: of, by: old }) },
    );
    assert.equal(code, 0, err);
    assert.equal(await keyNow(of), toHex(next.device.keyId));
  });

  it("replaces a dead chip's, once a registrar has proposed it and 14 days are over", async () => {
    const of = toHex((await registered(25)).device.keyId);
    await until(now + HOUR);
    const [next, other] = [device(26), device(27)];
    const id = toHex(next.device.keyId);
    const propose = (account: number, ...args: string[]) => by(account, "propose-key", ...args, "--yes");
    const replace = async (application: string) =>
      by(ACCOUNTS.firstOwner + 2, "replace-key", of, "--yes", "--application", await written("new.json", application));
    await refused(propose(ACCOUNTS.registrar, of, meter), /is, or was, the meter 0x\w+'s/);
    await refused(propose(ACCOUNTS.registrar, NOBODY, id), /No meter 0x0+1 is registered/);
    assert.match((await propose(ACCOUNTS.firstOwner, of, id)).err, /AccessManagedUnauthorized/);
    await refused(replace(applied(next, { to: of })), /No key is proposed for the meter/);
    const proposed = await propose(ACCOUNTS.registrar, of, id);
    assert.equal(proposed.code, 0, proposed.err);
    assert.match(proposed.out, /from 2026-04-0\d .* UTC on: wattwitness meter replace-key 0x/);
    await refused(replace(applied(next, { to: of })), /is proposed, and can replace the meter's from 2026-04-0\d/);
    await refused(replace(applied(other, { to: of })), /Proposed is the key 0x\w+, and the application is of 0x/);

    await until(now + 14 * DAY + 60);
    await refused(replace(applied(next, { at: now - 2 * HOUR, to: of })), /is over an hour old/);
    const { code, out, err } = await replace(applied(next, { to: of }));
    assert.equal(code, 0, err);
    assert.match(out, /The meter's key is 0x/);
    assert.equal(await keyNow(of), id);
  });
});
