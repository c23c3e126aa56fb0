/** What became of the tokens, by the visitor's node. */
import type { Place } from "../../../protocol/index.ts";
import { tokenAt, totalsOf, UNITS_PER_MWH } from "../../../verification/chain/token.ts";
import { chain } from "./chain.ts";
import { tokens } from "./format.ts";

export const inTokens = (units: bigint): string => tokens(Number(units / UNITS_PER_MWH) / 1000);

/** Undefined where the node does not say. */
export async function heldNow(place: Place): Promise<{ supply: string; retired: string } | undefined> {
  const at = chain && (await tokenAt(chain, place));
  const totals = at?.ok ? await totalsOf(at.value) : undefined;
  return totals?.ok ? { supply: inTokens(totals.value.supply), retired: inTokens(totals.value.retired) } : undefined;
}
