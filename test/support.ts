/** The parts together, in this process: a real chain with Chainlink on it, a DON in its sandbox, the oracle, meters. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import type { Hex } from "viem";
import { meterRegistryAbi, productionTokenAbi, wattWitnessAbi } from "../contracts/abi.ts";
import { hexes, publicKeyParts, signatureParts } from "../contracts/settlement.ts";
import { startChain } from "../demo/chain.ts";
import { ACCOUNTS, deployEverything, deployerOf } from "../demo/deployment.ts";
import { rotate, type SoftDevice } from "../demo/rotation.ts";
import { startLocalDon } from "../functions-source/local-don/index.ts";
import { createDevice, type Device, type DeviceOptions } from "../meter/device.ts";
import { createMeter, type Meter, type PowerAt } from "../meter/meter.ts";
import { type Send, upload } from "../meter/upload.ts";
import { createViemChain } from "../oracle/chain/viem/chain.ts";
import { buildApp } from "../oracle/http/app.ts";
import { createOracle } from "../oracle/oracle.ts";
import { openEmbeddedStore } from "../oracle/store/embedded/store.ts";
import { createLog, fromHex, inclusionProof, type Place, timestampOf, toHex } from "../protocol/index.ts";

export const CAPACITY = 5000; // W
export const SOURCE = 0x10;
export const UNITS_PER_MWH = 10n ** 12n;

/** ms that a settlement may take, from seal to confirmation */
const PATIENCE = 60_000;

export type System = Awaited<ReturnType<typeof createSystem>>;

/** `start`: Unix time of the first block, s. */
export async function createSystem(start: number) {
  const chain = await startChain(0, start);
  const { publicClient } = chain;
  const everything = await deployEverything(chain);
  const { deployment, chainlink, attestor, subscriptionId } = everything;
  const don = await startLocalDon(deployerOf(chain, ACCOUNTS.chainlink), { chainlink, pollingInterval: 20 });
  const directory = await mkdtemp(join(tmpdir(), "wattwitness-journey-"));
  const logger = pino({ level: "silent" });
  const mirror = await startMirror();

  const oracleChain = await createViemChain({
    rpcUrl: chain.url,
    registry: deployment.registry,
    wattWitness: deployment.wattWitness,
    attestor,
    operatorKey: chain.key(ACCOUNTS.operator),
    maxGasPrice: 50_000_000_000n,
  });
  const opening = await openEmbeddedStore(directory, logger);
  if (!opening.ok) throw new Error(opening.problem);
  const { store } = opening;
  const oracle = await createOracle({
    config: {
      fromBlock: 0,
      settleEvery: 1,
      retryAfter: 1,
      alignment: 0,
      batchLimit: 2_000_000,
      confirmations: 2,
      attestation: { subscriptionId, publicUrls: [mirror.url] },
      settles: true,
    },
    store,
    chain: oracleChain,
    logger,
  });
  await oracle.tick();
  const app = buildApp({ oracle, chain: oracleChain, wattWitness: deployment.wattWitness, logger });
  mirror.serve(async (path) => (await app.inject({ method: "GET", url: path })).rawPayload);

  const inject = async (url: string, payload: object) => {
    const response = await app.inject({ method: "POST", url, payload });
    return { status: response.statusCode, body: response.json() };
  };
  const send: Send = (post) => inject("/readings", post);
  const place: Place = { chainId: 31337, registry: deployment.registry };
  const onWattWitness = { address: deployment.wattWitness, abi: wattWitnessAbi } as const;
  const onRegistry = { address: deployment.registry, abi: meterRegistryAbi } as const;
  const ownerOf = (account: number) => chain.wallet(account).account.address;

  /** Waits until a transaction has succeeded, and lets the oracle see what it did. */
  async function done(transaction: Promise<Hex>): Promise<void> {
    const receipt = await publicClient.waitForTransactionReceipt({ hash: await transaction });
    if (receipt.status !== "success") throw new Error(`transaction ${receipt.transactionHash} reverted`);
    await oracle.tick();
  }

  return {
    ...everything,
    ...{ chain, don, oracle, app, mirror, place, inject, send, done, onWattWitness },

    /** Lets the chain's time come to `timestamp` (s), and the oracle see it. */
    async at(timestamp: number): Promise<void> {
      await chain.mineAt(timestamp);
      await oracle.tick();
    },

    /** Registers a device at its newest reading, by way of oracle and registrar. */
    async register(device: Device, account: number = ACCOUNTS.firstOwner): Promise<void> {
      const owner = ownerOf(account);
      const application = device.registration({ owner, capacity: CAPACITY, details: new Uint8Array(32) });
      const { status, body } = await inject("/registrations", application);
      if (status !== 200) throw new Error(JSON.stringify(body));
      const { publicKey, claim, baseline, ...terms } = application;
      const wallet = chain.wallet(ACCOUNTS.registrar);
      const registration = {
        ...terms,
        key: publicKeyParts(fromHex(publicKey)),
        baseline: { ...baseline, size: BigInt(baseline.size) },
        claim: signatureParts(fromHex(claim)),
      };
      const request = { ...onRegistry, functionName: "register", args: [registration], chain: wallet.chain } as const;
      await done(wallet.writeContract(request));
    },

    /** Rotates a meter, whose first key is that of `first`, from one test meter's key to another's, as its owner. */
    async rotate(
      first: Device,
      from: SoftDevice,
      to: SoftDevice,
      account: number = ACCOUNTS.firstOwner,
    ): Promise<void> {
      const parties = { registry: deployment.registry, place, owner: chain.wallet(account) };
      await done(rotate(parties, first.keyId, from, to));
    },

    async lowerCapacity(device: Device, capacity: number): Promise<void> {
      const wallet = chain.wallet(ACCOUNTS.registrar);
      const args = [toHex(device.keyId), capacity] as const;
      await done(wallet.writeContract({ ...onRegistry, functionName: "lowerCapacity", args, chain: wallet.chain }));
    },

    /** From the first owner to the second. */
    async sell(device: Device): Promise<Hex> {
      const [seller, buyer] = [chain.wallet(ACCOUNTS.firstOwner), chain.wallet(ACCOUNTS.firstOwner + 1)];
      const args = [seller.account.address, buyer.account.address, BigInt(toHex(device.keyId))] as const;
      await done(seller.writeContract({ ...onRegistry, functionName: "transferFrom", args, chain: seller.chain }));
      return buyer.account.address;
    },

    /** Uploads what a device has, at the moment of its last reading. */
    async upload(device: Device) {
      const timestamp = timestampOf(device.readings.at(-1) as Uint8Array);
      await chain.mineAt(timestamp);
      await oracle.tick();
      return upload(device, send, () => timestamp);
    },

    /** Until the newest log of the device is settled to `size`, all that it has unless told, and confirmed. */
    async settled(device: Device, size = device.size): Promise<void> {
      const latest = () =>
        publicClient.readContract({ ...onWattWitness, functionName: "latestOf", args: [toHex(device.keyId)] });
      for (const end = Date.now() + PATIENCE; Date.now() < end; ) {
        await chain.mineAt(0);
        await oracle.tick();
        const { epoch, size: settledSize } = await latest();
        if (epoch === device.epoch && settledSize >= size && oracle.settlement?.jobs().length === 0) return;
      }
      throw new Error(`was not settled: ${JSON.stringify(oracle.settlement?.jobs())}`);
    },

    latestOf: (device: Device) =>
      publicClient.readContract({ ...onWattWitness, functionName: "latestOf", args: [toHex(device.keyId)] }),
    balanceOf: (account: number) =>
      publicClient.readContract({
        address: deployment.token,
        abi: productionTokenAbi,
        functionName: "balanceOf",
        args: [ownerOf(account)],
      }),
    supply: () =>
      publicClient.readContract({ address: deployment.token, abi: productionTokenAbi, functionName: "totalSupply" }),
    /** Whether the contract finds this reading at this place of the settled log. */
    verifyReading: (device: Device, epoch: number, placed: PlacedReading) =>
      publicClient.readContract({
        ...onWattWitness,
        functionName: "verifyReading",
        args: [toHex(device.keyId), epoch, placed],
      }),
    energyBetween: (device: Device, from: PlacedReading, to: PlacedReading) =>
      publicClient.readContract({
        ...onWattWitness,
        functionName: "energyBetween",
        args: [toHex(device.keyId), device.epoch, from, to],
      }),

    async close(): Promise<void> {
      await don.stop();
      await app.close();
      await mirror.close();
      await chain.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Where the DON fetches batches: passes on what the oracle serves, or what `tamper` makes of it. */
async function startMirror() {
  let source: (path: string) => Promise<Buffer> = async () => Buffer.alloc(0);
  const mirror = { tamper: (bytes: Buffer): Buffer => bytes };
  const server = createServer(async (request, response) => {
    response.end(mirror.tamper(await source(request.url as string)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(mirror, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve(from: typeof source) {
      source = from;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

export type PlacedReading = { index: bigint; reading: Hex; proof: Hex[] };

/** A reading with its inclusion proof in the log of `size` readings. */
export function placedReading(readings: readonly Uint8Array[], size: number): (index: number) => PlacedReading {
  const { range } = createLog(readings.slice(0, size));
  return (index) => ({
    index: BigInt(index),
    reading: toHex(readings[index] as Uint8Array),
    proof: hexes(inclusionProof(range, index, size)),
  });
}

type TestMeter = { powerAt: PowerAt; start: number; seed?: number } & Partial<DeviceOptions>;

/** A meter of its own key, with the clock at `start` (s). */
export function createTestMeter(
  { place }: System,
  { powerAt, start, seed = 1, ...options }: TestMeter,
): Meter & SoftDevice {
  const privateKey = new Uint8Array(32).fill(seed);
  const device = createDevice({
    privateKey,
    epoch: 1,
    interval: 60,
    source: SOURCE,
    place,
    capacity: CAPACITY,
    ...options,
  });
  return Object.assign(createMeter({ device, powerAt, start }), { privateKey });
}

/** Lets meters produce until `now` (s), and all of it settle. */
export async function settleUntil(
  system: System,
  now: number,
  ...meters: ReturnType<typeof createTestMeter>[]
): Promise<void> {
  for (const meter of meters) meter.advance(now);
  for (const meter of meters) await system.upload(meter.device);
  for (const meter of meters) await system.settled(meter.device);
}
