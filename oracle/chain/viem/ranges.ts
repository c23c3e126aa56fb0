/**
 * Logs of many blocks. Nodes allow 10,000 blocks a question, or 2,000, or 500, and say so in words of their own: what is
 * refused is halved until it is answered, and what was answered then is remembered.
 */
import { BlockNotFoundError, type Log, type PublicClient } from "viem";
import { mayBeTooMuch } from "./errors.ts";

/** Blocks asked for at once, at first. */
const RANGE = 5000;

export type Ranges = {
  /**
   * The logs that `addresses` left in blocks `from` to `to`, both included, part by part. Throws where the node that
   * answers has not got all of these blocks: it would tell of no logs in those that it has not.
   */
  logs(addresses: readonly `0x${string}`[], from: number, to: number): AsyncGenerator<Log[]>;
};

export function createRanges(client: Pick<PublicClient, "getLogs" | "getBlock">): Ranges {
  let allowed = RANGE;

  /** In one tick, so that viem asks both of the same node. */
  async function ask(addresses: readonly `0x${string}`[], from: number, to: number): Promise<Log[]> {
    const [logs] = await Promise.all([
      client.getLogs({ address: [...addresses], fromBlock: BigInt(from), toBlock: BigInt(to) }),
      client.getBlock({ blockNumber: BigInt(to) }),
    ]);
    return logs;
  }

  return {
    async *logs(addresses, from, to) {
      let range = allowed;
      for (let start = from; start <= to; ) {
        const end = Math.min(to, start + range - 1);
        try {
          yield await ask(addresses, start, end);
        } catch (error) {
          if (error instanceof BlockNotFoundError) throw new Error(`the node that answers has no block ${end}`);
          if (end === start || !mayBeTooMuch(error)) throw error;
          range = Math.floor((end - start + 1) / 2);
          continue;
        }
        start = end + 1;
        if (range < allowed) allowed = range;
      }
    },
  };
}
