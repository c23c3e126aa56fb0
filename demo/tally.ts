/** What the chain says has happened, counted from its events alone. */
import type { Hex } from "viem";
import { functionsAttestorAbi, productionTokenAbi, wattWitnessAbi } from "../contracts/abi.ts";
import { toHex } from "../protocol/index.ts";
import type { World } from "./world.ts";

export type MeterTally = {
  settlements: number;
  /** readings settled, the baseline's included */
  size: number;
  /** mWh minted for */
  produced: bigint;
  /** of the last settlement: gas of the meter's share of the transaction, and the readings it settled */
  gas: bigint;
  readings: number;
};

export type Tally = {
  /** the newest block that was looked at */
  block: bigint;
  meters: Map<Hex, MeterTally>;
  settlements: number;
  attestations: number;
  refusals: number;
  /** of all settlements */
  gas: bigint;
};

/** Units of the token that were ever minted, at a block: those in circulation and those retired. */
export async function mintedAt({ chain, deployment }: World, blockNumber: bigint): Promise<bigint> {
  const token = { address: deployment.token, abi: productionTokenAbi, blockNumber } as const;
  const [supply, retired] = await Promise.all([
    chain.publicClient.readContract({ ...token, functionName: "totalSupply" }),
    chain.publicClient.readContract({ ...token, functionName: "totalRetired" }),
  ]);
  return supply + retired;
}

/** Returns a function that looks at what is new and returns the whole, which no later look changes. */
export function createTally({ chain, deployment, attestor, roofs, fromBlock }: World): () => Promise<Tally> {
  const { publicClient } = chain;
  const none = { settlements: 0, size: 0, produced: 0n, gas: 0n, readings: 0 };
  const tally: Tally = {
    block: fromBlock,
    meters: new Map(roofs.map(({ device }) => [toHex(device.keyId), none])),
    settlements: 0,
    attestations: 0,
    refusals: 0,
    gas: 0n,
  };
  let next = fromBlock;
  const copy = (): Tally => ({ ...tally, meters: new Map(tally.meters) });

  return async () => {
    const toBlock = await publicClient.getBlockNumber({ cacheTime: 0 });
    if (toBlock < next) return copy();
    const range = { fromBlock: next, toBlock, strict: true } as const;
    next = toBlock + 1n;
    tally.block = toBlock;
    const [settled, answered] = await Promise.all([
      publicClient.getContractEvents({
        address: deployment.wattWitness,
        abi: wattWitnessAbi,
        eventName: "Settled",
        ...range,
      }),
      publicClient.getContractEvents({ address: attestor, abi: functionsAttestorAbi, ...range }),
    ]);
    tally.attestations += answered.filter(({ eventName }) => eventName === "AttestationConfirmed").length;
    tally.refusals += answered.filter(({ eventName }) => eventName === "AttestationRefused").length;

    for (const hash of new Set(settled.map(({ transactionHash }) => transactionHash))) {
      const { gasUsed } = await publicClient.getTransactionReceipt({ hash });
      tally.gas += gasUsed;
      const items = settled.filter(({ transactionHash }) => transactionHash === hash);
      for (const { args } of items) {
        const before = tally.meters.get(args.keyId) ?? none;
        tally.settlements += 1;
        tally.meters.set(args.keyId, {
          settlements: before.settlements + 1,
          size: Number(args.size),
          produced: before.produced + args.produced,
          gas: gasUsed / BigInt(items.length),
          readings: Number(args.size - args.fromSize),
        });
      }
    }
    return copy();
  };
}
