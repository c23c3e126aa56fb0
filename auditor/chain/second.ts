/** A second node, asked for the same: what two nodes tell differently, one of them tells wrongly. */
import { type Answer, askNumber } from "../../verification/chain/asking.ts";
import { BEHIND } from "../../verification/chain/views.ts";
import { type Finding, missing, refuted } from "../finding.ts";
import { type History, lineOf } from "./history.ts";

const RULE = "the two nodes disagree";

export async function compareNodes(history: History, second: Answer<History>): Promise<Finding[]> {
  const { number, hash } = history.block;
  if (!second.ok) return [missing("second node", `block ${number}`, second.why.says, { block: number })];
  const other = second.value;
  if (other.block.hash !== hash) {
    return [refuted(RULE, `block ${number}`, hash, other.block.hash, { block: number })];
  }
  if (other.hash === history.hash) return newerThan(history, other);
  const [one, two] = [history.events.map(lineOf), other.events.map(lineOf)];
  const at = one.findIndex((line, i) => line !== two[i]);
  const place = at === -1 ? one.length : at;
  const { block, transaction, index } = history.events[place] ?? (other.events[place] as History["events"][number]);
  return [refuted(RULE, `event ${place}`, one[place] ?? "none", two[place] ?? "none", { block, transaction, index })];
}

/** A node that stands still hides what came since, and contradicts nobody of what was before. */
async function newerThan({ chain, block }: History, other: History): Promise<Finding[]> {
  const [own, newest] = await Promise.all([chain, other.chain].map((each) => askNumber(each, "eth_blockNumber")));
  if (!own?.ok || !newest?.ok || newest.value <= own.value + BEHIND) return [];
  const says = `its newest block is ${own.value}, and ${newest.value} that of the second node`;
  return [missing("node stands still", `block ${block.number}`, says, { block: block.number })];
}
