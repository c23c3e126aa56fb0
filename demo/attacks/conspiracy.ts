/**
 * All four nodes of the DON lie, and so does an operator: they attest to a batch that does not exist. The contract takes
 * the attestation, and refuses to mint: the device did not sign, or not a log that only grew.
 */
import { BaseError, ContractFunctionRevertedError, type Hex } from "viem";
import { functionsAttestorAbi, productionTokenAbi, wattWitnessAbi } from "../../contracts/abi.ts";
import { settlementItem } from "../../contracts/settlement.ts";
import {
  attestationLeaf,
  attestationRoot,
  CONDITIONS,
  createLog,
  decodeReading,
  domain,
  encodeHead,
  encodeReading,
  generatePrivateKey,
  type Head,
  headHash,
  sign,
  toHex,
} from "../../protocol/index.ts";
import type { Roof } from "../roof.ts";
import { settledOf, type World } from "../world.ts";
import type { Attempt } from "./forgeries.ts";

/** mWh that the conspirators would like to have */
const GREED = 1000n;
/** ms that the DON may take */
const PATIENCE = 30_000;

export type Conspiracy = {
  /** the DON attested to the forgery */
  attested: boolean;
  attempt: Attempt;
  /** something was settled from it */
  isMinted: boolean;
  /** units of the token; honest settlements go on meanwhile */
  supplyBefore: bigint;
  supplyAfter: bigint;
};

/** Makes every node answer `root` to whatever it is asked, without looking. */
export function corrupt({ don }: World, root: Hex): void {
  for (const [node] of don.behaviours().entries()) don.behave(node, "liar", root);
}

export function restore({ don }: World): void {
  for (const [node] of don.behaviours().entries()) don.behave(node, "honest");
}

/** What the conspirators agree upon: the readings of the log they attest to, and who signs it. */
export type Plot = {
  title: string;
  log: (roof: Roof, settled: Uint8Array[]) => { readings: Uint8Array[]; privateKey: Uint8Array };
};

export const PLOTS: Plot[] = [
  {
    title: "a kWh that the device did not sign, attested by all four nodes of the DON",
    log: ({ device }, settled) => ({
      readings: [...settled, goOn(settled.at(-1) as Uint8Array, device.interval)],
      privateKey: generatePrivateKey(),
    }),
  },
  {
    title: "a history that the device itself rewrote, attested by all four nodes of the DON",
    log: ({ device, privateKey }, settled) => {
      const [first, second, ...rest] = settled as [Uint8Array, Uint8Array, ...Uint8Array[]];
      const rewritten = Uint8Array.from(second);
      rewritten[31] = (second[31] as number) ^ CONDITIONS.invalid;
      return { readings: [first, rewritten, ...rest, goOn(settled.at(-1) as Uint8Array, device.interval)], privateKey };
    },
  },
];

/** The next reading, with a kWh's thousandth more than the last. */
function goOn(last: Uint8Array, interval: number): Uint8Array {
  const decoded = decodeReading(last);
  if (!decoded.ok) throw new Error("the device's own reading cannot be read");
  const { timestamp, energy } = decoded.value;
  return encodeReading({ ...decoded.value, timestamp: timestamp + interval, energy: energy + GREED });
}

/** Leaves the nodes lying. */
export async function conspire(world: World, roof: Roof, plot: Plot): Promise<Conspiracy> {
  const { chain, deployment, attestor, conspirator } = world;
  const { publicClient } = chain;
  const supply = () =>
    publicClient.readContract({ address: deployment.token, abi: productionTokenAbi, functionName: "totalSupply" });
  const forged = forge(world, roof, plot, await settledOf(world, roof));
  const supplyBefore = await supply();

  corrupt(world, forged.root);
  const { wallet, subscriptionId } = conspirator;
  const hash = await wallet.writeContract({
    chain: wallet.chain,
    address: attestor,
    abi: functionsAttestorAbi,
    functionName: "request",
    args: [forged.digest, forged.root, ["http://127.0.0.1:1/no-such-batch"], subscriptionId],
  });
  await publicClient.waitForTransactionReceipt({ hash });
  const attested = await isAttested(world, forged.root);
  const attempt = await refusalOf(
    publicClient.simulateContract({
      address: deployment.wattWitness,
      abi: wattWitnessAbi,
      functionName: "settle",
      args: [forged.root, [forged.item]],
      account: wallet.account,
    }),
  );
  const settled = await publicClient.getContractEvents({
    ...{ address: deployment.wattWitness, abi: wattWitnessAbi, eventName: "Settled", fromBlock: world.fromBlock },
    args: { attestation: forged.root },
  } as const);
  return { attested, attempt, isMinted: settled.length > 0, supplyBefore, supplyAfter: await supply() };
}

type Settled = Awaited<ReturnType<typeof settledOf>>;

/** The head of the plotted log, with everything that settling it takes. */
function forge({ place }: World, roof: Roof, plot: Plot, { epoch, size, timestamp }: Settled) {
  const { device, capacity } = roof;
  const { readings, privateKey } = plot.log(roof, device.readings.slice(0, size));
  const reading = readings.at(-1) as Uint8Array;
  const log = createLog(readings);
  const head: Head = { epoch, size: log.size, reading, root: log.root() };
  const statement = encodeHead(domain("head", place), head);
  const from = size - 1;
  const leaf = attestationLeaf({ keyId: device.keyId, epoch, from, capacity, headHash: headHash(statement) });
  return {
    root: toHex(attestationRoot([leaf])),
    digest: toHex(headHash(statement)),
    item: settlementItem({
      publicKey: device.publicKey,
      head,
      signature: sign(statement, privateKey),
      settledSize: size,
      settledTimestamp: timestamp,
      capacity,
      range: log.range,
      firstReading: undefined,
      attested: { from, leaves: [leaf], index: 0 },
    }),
  };
}

async function isAttested({ chain, deployment }: World, root: Hex): Promise<boolean> {
  for (const deadline = Date.now() + PATIENCE; Date.now() < deadline; ) {
    const [attestor] = await chain.publicClient.readContract({
      address: deployment.wattWitness,
      abi: wattWitnessAbi,
      functionName: "attestationOf",
      args: [root],
    });
    if (BigInt(attestor) !== 0n) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

/** The custom error with which the contract refuses a call. */
async function refusalOf(call: Promise<unknown>): Promise<Attempt> {
  const thrown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown === undefined) return { by: "contract", rule: undefined, message: "accepted" };
  const revert = thrown instanceof BaseError && thrown.walk((cause) => cause instanceof ContractFunctionRevertedError);
  if (!(revert instanceof ContractFunctionRevertedError)) throw thrown;
  return {
    by: "contract",
    rule: revert.data?.errorName ?? "revert",
    message: `reverts with ${revert.data?.errorName}`,
  };
}
