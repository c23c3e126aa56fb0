import assert from "node:assert/strict";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { zeroAddress } from "viem";
import { idOf } from "../../contracts/test/certificates/fixture.ts";
import type { ChainEvent } from "../chain/events.ts";
import type { History } from "../chain/history.ts";
import { replayBeside } from "../replay/beside.ts";
import { type Besides, createBesides, HOUR, HOURLY, START, UNITS } from "./besides.ts";

type Args = { amount: bigint; energy: bigint; energies: bigint[]; ids: bigint[]; value: bigint; serial: bigint };

describe("an audit of certificates and parks", function () {
  this.timeout(120_000);
  let world: Besides;
  let history: History;
  before(async () => {
    world = await createBesides();
    const { read } = await world.audit();
    assert.ok(read);
    history = read.history;
  });
  after(() => world.close());

  it("looks at nothing of them where nobody names their contracts", async () => {
    const { verdict, beside } = await world.audit({ beside: undefined });
    assert.deepEqual([verdict, beside], ["verified", {}]);
  });

  it("finds nothing where all is as it should be, and has recomputed every energy", async () => {
    const { findings, beside } = await world.audit();
    assert.deepEqual(findings, []);
    const { certificates, parks } = beside;
    assert.deepEqual([certificates?.issued, certificates?.verified, certificates?.unissued], [6, 6, 1]);
    assert.equal(certificates?.outstanding_mwh, 5n * HOURLY - HOURLY / 2n - HOURLY);
    assert.equal(parks?.received_units, 4n * HOURLY * 10n ** 12n);
  });

  const LIES: [rule: string, event: string, nth: number, change: (args: Args) => object][] = [
    ["certificate tokens", "Issued", 0, ({ energies: [energy = 0n] }) => ({ energies: [energy + 1n] })],
    ["certificate sums", "Issued", 0, ({ energies: [energy = 0n] }) => ({ energies: [energy + 1n] })],
    ["hour issued twice", "Issued", 1, ({ ids: [one, , ...others] }) => ({ ids: [one, one, ...others] })],
    ["certificates burned", "Redeemed", 0, ({ energy }) => ({ energy: energy + 1n })],
    ["redemption", "Redeemed", 0, ({ serial }) => ({ serial: serial + 1n })],
    ["unissued", "Unissued", 0, ({ energy }) => ({ energy: energy - 1n })],
    ["received", "Received", 0, ({ amount }) => ({ amount: amount + 1n })],
    ["claimed", "Claimed", 0, ({ amount }) => ({ amount: amount + 1n })],
    ["income paid", "Claimed", 0, ({ amount }) => ({ amount: amount + 1n })],
  ];
  for (const [rule, name, nth, change] of LIES) {
    it(`refutes by "${rule}" what ${name} says falsely`, () => {
      const event = history.events.filter(({ eventName }) => eventName === name)[nth];
      assert.ok(event);
      const lie = { ...event, args: { ...event.args, ...change(event.args as unknown as Args) } } as ChainEvent;
      const events = history.events.map((each) => (each === event ? lie : each));
      const rules = replayBeside({ ...history, events }).findings.map((finding) => finding.rule);
      assert.ok(rules.includes(rule), rules.join());
    });
  }

  it("cannot tell what a certificate's energy is where a batch of its meter is missing", async () => {
    const path = join(world.folder, world.early);
    await rename(path, `${path}.gone`);
    const { verdict, findings } = await world.audit();
    await rename(`${path}.gone`, path);
    assert.equal(verdict, "cannot tell");
    assert.ok(findings.some(({ rule, object }) => rule === "no readings" && object.startsWith("certificate ")));
  });

  it("refutes an energy that the readings do not have, where all that was told agrees with itself", async () => {
    const { chain, tell, roof, certificates } = world;
    const [ada, id] = [chain.ada.account.address, idOf(roof.id, START + HOUR, START + 2 * HOUR)];
    const energy = HOURLY - 1n;
    const minted = { operator: ada, from: zeroAddress, to: ada, id, value: energy };
    const taken = { from: ada, to: chain.certificates.address, value: energy * UNITS };
    await tell([
      [chain.certificates, "Issued", { meter: roof.id, issuer: ada, ids: [id], energies: [energy] }],
      [chain.token, "Transfer", taken],
      [chain.certificates, "TransferSingle", minted],
    ]);
    assert.equal(await certificates.held(ada, id), 0n);
    const { verdict, findings } = await world.audit();
    assert.equal(verdict, "refuted");
    assert.ok(findings.some(({ rule }) => rule === "certificate energy"));
  });
});
