import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { toHex } from "../../protocol/index.ts";
import type { Conspiracy } from "../attacks/conspiracy.ts";
import { attemptOf, type Outcome, outcomeOf } from "../once.ts";

type World = Parameters<typeof outcomeOf>[0];

type Life = {
  /** mWh that each meter measured, and minted */
  measured?: bigint[];
  minted?: bigint[];
  settlements?: number[];
  /** mWh; undefined = there is none */
  recorded?: bigint;
  isOver?: boolean;
  whyStopped?: string;
  /** s */
  lived?: number;
  /** ms */
  waited?: number;
};

function outcomeIn(life: Life): Outcome | undefined {
  const { measured = [5n, 5n], minted = measured, settlements = [1, 1], lived = 0, waited = 0 } = life;
  const roofs = measured.map((energy, i) => ({ name: `roof ${i + 1}`, device: { keyId: randomBytes(32), energy } }));
  const world = {
    roofs,
    recording: life.recorded === undefined ? undefined : { energy: life.recorded },
    isOver: () => life.isOver ?? false,
    whyStopped: () => life.whyStopped,
  } as unknown as World;
  const meters = new Map(
    roofs.map(({ device }, i) => {
      const none = { size: 0, gas: 0n, readings: 0 };
      return [toHex(device.keyId), { ...none, settlements: settlements[i] ?? 0, produced: minted[i] ?? 0n }] as const;
    }),
  );
  return outcomeOf(world, { meters }, { lived, waited });
}

describe("npm start -- --once", () => {
  describe("ends, and not well,", () => {
    it("where its clock has stopped, whatever was settled before", () => {
      const says = "the clock stopped: the chain is gone";
      for (const settlements of [
        [0, 0],
        [2, 2],
      ]) {
        const outcome = outcomeIn({ whyStopped: "the chain is gone", settlements });
        assert.deepEqual(outcome, { says, isGood: false });
      }
    });

    it("where nothing is settled any more, though something waits", () => {
      const waits = { measured: [3_000_000n, 5n], minted: [1_000_000n, 5n] };
      assert.equal(outcomeIn({ ...waits, waited: 299_999 }), undefined);
      const outcome = outcomeIn({ ...waits, waited: 300_001 });
      assert.deepEqual(outcome, { says: "nothing was settled for 5 minutes: 2.000 kWh wait", isGood: false });
    });

    it("where a recording is over and a meter has not measured all of it", () => {
      const outcome = outcomeIn({ recorded: 2_000_000n, isOver: true, measured: [2_000_000n, 1_500_000n] });
      assert.deepEqual(outcome, { says: "the recording is over: roof 2 has 1.500 of 2.000 kWh", isGood: false });
    });
  });

  describe("goes on", () => {
    it("until the last meter has settled twice", () => {
      assert.equal(outcomeIn({ settlements: [9, 1] }), undefined);
      assert.deepEqual(outcomeIn({ settlements: [2, 2] }), { says: "every meter has settled twice", isGood: true });
    });

    it("until a recording is over, and all of it is settled", () => {
      const short = { recorded: 5n, settlements: [1, 1] };
      assert.equal(outcomeIn(short), undefined);
      assert.equal(outcomeIn({ ...short, isOver: true, minted: [5n, 4n] }), undefined);
      const says = "the recording is over, and all of it is settled";
      assert.deepEqual(outcomeIn({ ...short, isOver: true }), { says, isGood: true });
    });

    it("for an hour of a recording without any production, and that is an answer, too", () => {
      const night = { recorded: 0n, measured: [0n, 0n], settlements: [0, 0] };
      assert.equal(outcomeIn({ ...night, lived: 3600 }), undefined);
      const outcome = { says: "the recording has no production: there is nothing to mint", isGood: true };
      assert.deepEqual(outcomeIn({ ...night, lived: 3601 }), outcome);
      assert.deepEqual(outcomeIn({ ...night, isOver: true }), outcome);
    });
  });

  describe("tries a plot", () => {
    const refused = { by: "contract", rule: "SignatureInvalid", message: "" } as const;
    const skipped = { by: "contract", rule: undefined, message: "accepted" } as const;
    const supply = { supplyBefore: 0n, supplyAfter: 0n };
    const tried = async (...attempts: Partial<Conspiracy>[]) => {
      let count = 0;
      const plot = async (): Promise<Conspiracy> => {
        const attempt = attempts[Math.min(count, attempts.length - 1)];
        count += 1;
        return { attested: true, attempt: refused, isMinted: false, ...supply, ...attempt };
      };
      return { ...(await attemptOf(plot)), count };
    };

    it("that the DON does not attest to in vain, and says so", () =>
      assert.rejects(tried({ attested: false }), /did not attest/));

    it("once where the contract refuses it, or mints", async () => {
      assert.deepEqual(await tried({}), { ...refused, count: 1 });
      assert.deepEqual(await tried({ isMinted: true }), { ...refused, rule: undefined, count: 1 });
    });

    it("again where an honest settlement came first, but not for ever", async () => {
      assert.deepEqual(await tried({ attempt: skipped }, {}), { ...refused, count: 2 });
      assert.deepEqual(await tried({ attempt: skipped }), { ...skipped, count: 5 });
    });
  });
});
