/**
 * The register of an energy meter (a Shelly's `total`): it integrates power exactly, in mW·s, and shows whole mWh; what is
 * left over stays inside for the next mWh, so nothing is lost to rounding. Negative power adds nothing.
 */
export type Register = {
  /** mWh since the last reset */
  readonly energy: bigint;
  /** Counts `power` (mW) held for `seconds`. */
  add(power: bigint, seconds: number): void;
  /** What a meter's owner can do at any time: start again from zero. */
  reset(): void;
};

const SECONDS_PER_HOUR = 3600n;

export function createRegister(): Register {
  let total = 0n; // mW·s
  return {
    get energy() {
      return total / SECONDS_PER_HOUR;
    },
    add(power, seconds) {
      if (power > 0n) total += power * BigInt(seconds);
    },
    reset() {
      total = 0n;
    },
  };
}
