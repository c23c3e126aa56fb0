/**
 * Logs of many blocks. Nodes allow 10,000 blocks a question, or 2,000, or 500, or so many results, and say so in words of
 * their own: what is refused is halved until it is answered. What a node allows is remembered, and after a while of answers
 * more is tried again.
 */
import type { Hex } from "../proof.ts";
import { type Answer, answered, ask, tag, unanswered } from "./asking.ts";
import type { ChainReader } from "./reader.ts";

/** Answers in a row after which twice as many blocks are asked for. */
const STEADY = 16;

export type Filter = {
  address: Hex | readonly Hex[];
  topics: readonly (string | readonly string[] | null)[];
};

/** For who waits: told after every answer how many blocks were read, and asked before every question whether to go on. */
export type Watch = { onRead?: (blocks: number) => void; signal?: AbortSignal };

/** Blocks that each node answered for at once, when it had refused more. */
const allowed = new WeakMap<ChainReader, number>();

/** What the node answers for blocks `from` to `to`, both included, in their order. Refuses what `ask` refuses, `nonsense`. */
export async function logsIn(
  chain: ChainReader,
  filter: Filter,
  from: number,
  to: number,
  { onRead, signal }: Watch = {},
): Promise<Answer<unknown[]>> {
  const logs: unknown[] = [];
  let [range, steady] = [allowed.get(chain) ?? Number.POSITIVE_INFINITY, 0];
  for (let start = from; start <= to; ) {
    if (signal?.aborted) return unanswered("unreachable", "The chain's node was not asked to the end.");
    const end = Math.min(to, start + range - 1);
    const answer = await ask(chain, "eth_getLogs", [{ ...filter, fromBlock: tag(start), toBlock: tag(end) }]);
    if (!answer.ok) {
      if (answer.why.rule !== "refuses" || end === start) return answer;
      [range, steady] = [Math.floor((end - start + 1) / 2), 0];
      continue;
    }
    if (!Array.isArray(answer.value))
      return unanswered("nonsense", "The chain's node answers eth_getLogs with what was not asked for.");
    for (const log of answer.value) logs.push(log);
    if (range < Number.POSITIVE_INFINITY) allowed.set(chain, range);
    steady += 1;
    if (steady % STEADY === 0) range *= 2;
    start = end + 1;
    onRead?.(start - from);
  }
  return answered(logs);
}
