/**
 * The rest of an earlier epoch. An oracle settles logs in the order of their epochs, but somebody else may settle a newer
 * one first. What the register rose more on the way between the settled readings is then still minted, by heads that lie
 * between them and nowhere else: see WattWitness._settleRest.
 */
import { energyOf, timestampOf } from "../../protocol/index.ts";
import type { Chain, Gap } from "../chain/chain.ts";
import { EPOCH_STRIDE } from "../chain/rules.ts";

/** The gap in which the heads of an earlier epoch belong; undefined where nothing is left of it. */
export async function gapFor(
  chain: Pick<Chain, "logOf" | "gapOf">,
  keyId: string,
  epoch: number,
): Promise<Gap | undefined> {
  for (let settled = epoch; settled >= Math.max(0, epoch - EPOCH_STRIDE); settled--) {
    if ((await chain.logOf(keyId, settled)).size === 0) continue;
    const gap = await chain.gapOf(keyId, settled);
    return gap.until === 0 ? undefined : gap;
  }
  return undefined;
}

/**
 * mWh that the contract mints for a head with this reading; 0 where it skips it. `first`: reading 0, of a log of which
 * nothing is settled.
 */
export function producedIn(gap: Gap, reading: Uint8Array, first: Uint8Array | undefined): bigint {
  const [timestamp, energy] = [timestampOf(reading), energyOf(reading)];
  const base = first
    ? { timestamp: timestampOf(first), energy: energyOf(first) }
    : { timestamp: gap.since, energy: gap.energyBefore };
  if (timestamp >= gap.until || energy < base.energy) return 0n;
  if (first ? base.timestamp <= gap.since || timestamp < base.timestamp : timestamp <= gap.since) return 0n;
  const { energyBefore, energyAfter, room } = gap;
  const rises = rise(energyBefore, base.energy) + rise(base.energy, energy) + rise(energy, energyAfter);
  const produced = rises - rise(energyBefore, energyAfter);
  return produced <= room ? produced : 0n;
}

/** Where a register is lower than it was, it was lost. */
const rise = (energy: bigint, later: bigint): bigint => (later > energy ? later - energy : 0n);
