import assert from "node:assert/strict";
import { createTally } from "../tally.ts";

type World = Parameters<typeof createTally>[0];

const KEY = `0x${"11".repeat(32)}` as const;

/** A chain of which somebody settles 5 mWh in each block. */
function chainOf() {
  const chain = { block: 1n };
  const publicClient = {
    getBlockNumber: async () => chain.block,
    getContractEvents: async ({ eventName, fromBlock, toBlock }: Record<string, bigint | string>) => {
      if (eventName !== "Settled") return [];
      return Array.from({ length: Number(toBlock) - Number(fromBlock) + 1 }, (_, i) => ({
        transactionHash: `0x${Number(fromBlock) + i}`,
        args: { keyId: KEY, produced: 5n, size: 2n, fromSize: 1n },
      }));
    },
    getTransactionReceipt: async () => ({ gasUsed: 100n }),
  };
  const world = { chain: { publicClient }, deployment: {}, roofs: [], fromBlock: 1n } as unknown as World;
  return { chain, look: createTally(world) };
}

describe("a tally", () => {
  it("stays what it was when more is settled, also one between whose blocks nothing happened", async () => {
    const { chain, look } = chainOf();
    const [first, again] = [await look(), await look()];
    chain.block = 3n;
    const later = await look();
    for (const { block, meters } of [first, again]) assert.deepEqual([block, meters.get(KEY)?.produced], [1n, 5n]);
    assert.deepEqual([later.block, later.meters.get(KEY)?.produced, later.settlements], [3n, 15n, 3]);
  });
});
