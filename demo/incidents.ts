/** What does not happen on a sunny day, made to happen, so that there is something to ask the subgraph about. */
import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type Hex, zeroHash } from "viem";
import { functionsAttestorAbi, productionTokenAbi, wattWitnessAbi } from "../contracts/abi.ts";
import { headParts, publicKeyParts, signatureParts } from "../contracts/settlement.ts";
import { createDevice } from "../meter/device.ts";
import { createMeter } from "../meter/meter.ts";
import { createLog, domain, encodeHead, type Head, sign, toHex } from "../protocol/index.ts";
import { ACCOUNTS } from "./deployment.ts";
import type { Roof } from "./roof.ts";
import { rotate } from "./rotation.ts";
import { settledOf, type World } from "./world.ts";

/** Two heads of one size contradict each other without any. */
const NO_READING = { index: 0n, reading: zeroHash, proof: [] } as const;
/** ms that the DON may take to refuse */
const PATIENCE = 30_000;

/** Time must stand still. Afterwards one meter has another key, and one is frozen. */
export async function letThingsHappen(world: World): Promise<void> {
  const [first, second] = world.roofs as [Roof, Roof];
  await replay(world);
  await askForNothing(world);
  await replaceDevice(world, first);
  await equivocate(world, second);
  await retire(world);
}

/** Somebody sends a settlement again: everything in it is skipped. */
async function replay(world: World): Promise<void> {
  const { chain, deployment, conspirator, fromBlock } = world;
  const settled = await chain.publicClient.getContractEvents({
    ...{ address: deployment.wattWitness, abi: wattWitnessAbi, eventName: "Settled", fromBlock },
  } as const);
  const hash = settled.at(-1)?.transactionHash as Hex;
  const { input } = await chain.publicClient.getTransaction({ hash });
  const { wallet } = conspirator;
  await done(world, wallet.sendTransaction({ to: deployment.wattWitness, data: input, chain: wallet.chain }));
}

/** Somebody wants a batch attested that nobody has: the DON refuses. */
async function askForNothing(world: World): Promise<void> {
  const { attestor: address, chain, conspirator, oracle } = world;
  const { wallet, subscriptionId } = conspirator;
  const onAttestor = { address, abi: functionsAttestorAbi } as const;
  const digest = toHex(createHash("sha256").update("no such batch").digest());
  const args = [digest, digest, [`${oracle.url}/batches/${digest}`], subscriptionId] as const;
  await done(world, wallet.writeContract({ ...onAttestor, chain: wallet.chain, functionName: "request", args }));
  const requests = await chain.publicClient.getContractEvents({
    ...{ ...onAttestor, eventName: "AttestationRequested", args: { digest }, fromBlock: world.fromBlock },
  } as const);
  const requestId = requests[0]?.args.requestId as Hex;
  const isPending = async () =>
    (await chain.publicClient.readContract({ ...onAttestor, functionName: "pendingRoot", args: [requestId] })) !==
    zeroHash;
  for (const end = Date.now() + PATIENCE; await isPending(); await delay(100)) {
    if (Date.now() > end) throw new Error("the DON did not refuse what it cannot have found");
  }
}

/** The owner of a roof puts up another device. */
async function replaceDevice(world: World, { device, privateKey, capacity, owner }: Roof): Promise<void> {
  const { deployment, place } = world;
  const now = world.now();
  const newKey = createHash("sha256").update("demo meter 0, another device").digest();
  const { interval, source } = device;
  const next = createDevice({ privateKey: newKey, epoch: 1, interval, source, place, capacity });
  createMeter({ device: next, powerAt: () => 0n, start: now - interval }).advance(now);
  const wallet = walletOf(world, owner);
  const parties = { registry: deployment.registry, place, owner: wallet };
  const [from, to] = [
    { device, privateKey },
    { device: next, privateKey: newKey },
  ];
  await done(world, rotate(parties, device.keyId, from, to));
}

/** A device signs another last reading than it did: whoever has seen both shows them, and the meter is frozen. */
async function equivocate(world: World, roof: Roof): Promise<void> {
  const { deployment, place, conspirator } = world;
  const { device, privateKey } = roof;
  const { size } = await settledOf(world, roof);
  const readings = device.readings.slice(0, size);
  const another = Uint8Array.from(readings.at(-1) as Uint8Array);
  another[19] = (another[19] as number) ^ 1;
  const headOver = (list: Uint8Array[]): Head => {
    const log = createLog(list);
    return { epoch: device.epoch, size, reading: list.at(-1) as Uint8Array, root: log.root() };
  };
  const heads = [headOver(readings), headOver([...readings.slice(0, -1), another])] as const;
  const [firstSignature, secondSignature] = heads.map((head) =>
    signatureParts(sign(encodeHead(domain("head", place), head), privateKey)),
  ) as [ReturnType<typeof signatureParts>, ReturnType<typeof signatureParts>];
  const equivocation = {
    key: publicKeyParts(device.publicKey),
    ...{ first: headParts(heads[0]), firstSignature, second: headParts(heads[1]), secondSignature },
    ...{ one: NO_READING, other: NO_READING },
  };
  const { wallet } = conspirator;
  const onWattWitness = { address: deployment.wattWitness, abi: wattWitnessAbi, chain: wallet.chain } as const;
  const call = { ...onWattWitness, functionName: "proveEquivocation", args: [equivocation] } as const;
  await done(world, wallet.writeContract(call));
}

/** The first owner retires a tenth of his tokens, in the second one's name. */
async function retire(world: World): Promise<void> {
  const { chain, deployment, roofs } = world;
  const owner = walletOf(world, (roofs[0] as Roof).owner);
  const token = { address: deployment.token, abi: productionTokenAbi } as const;
  const balanceOf = { ...token, functionName: "balanceOf", args: [owner.account.address] } as const;
  const balance = await chain.publicClient.readContract(balanceOf);
  const args = [balance / 10n, (roofs[1] as Roof).owner, "my neighbour", "the light to read this by"] as const;
  await done(world, owner.writeContract({ ...token, chain: owner.chain, functionName: "retire", args }));
}

function walletOf({ chain, roofs }: World, owner: Hex) {
  return chain.wallet(ACCOUNTS.firstOwner + roofs.findIndex((roof) => roof.owner === owner));
}

async function done({ chain }: World, transaction: Promise<Hex>): Promise<void> {
  const hash = await transaction;
  const { status } = await chain.publicClient.waitForTransactionReceipt({ hash });
  if (status !== "success") throw new Error(`transaction ${hash} reverted`);
}
