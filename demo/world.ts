/** Everything of the demo on one machine: chain, Chainlink, our contracts, DON, oracle, meters and their clock. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { meterRegistryAbi, wattWitnessAbi } from "../contracts/abi.ts";
import type { Deployment } from "../contracts/deploy.ts";
import { publicKeyParts, signatureParts } from "../contracts/settlement.ts";
import { buildDashboard } from "../dashboard/build.ts";
import { createTurns, type LocalDon, startLocalDon } from "../functions-source/local-don/index.ts";
import type { Registration } from "../meter/device.ts";
import { sunPower } from "../meter/sun.ts";
import { fromHex, type Place, toHex } from "../protocol/index.ts";
import { buildSubgraph } from "../subgraph/build.ts";
import { LOCAL_NETWORK, networkOf } from "../subgraph/networks.ts";
import { type LocalChain, startChain } from "./chain.ts";
import { ACCOUNTS, deployEverything, deployerOf, type Everything, writeLocalNetwork } from "./deployment.ts";
import { prepareFirmware } from "./firmware/index.ts";
import { type GraphNode, startIndexer } from "./indexer/index.ts";
import { announce } from "./naming.ts";
import { compile } from "./processes/compile.ts";
import { type OracleProcess, startOracle } from "./processes/oracle.ts";
import { freePort } from "./processes/process.ts";
import { type Stops, temporaryFolder } from "./processes/stop.ts";
import { type Roof, startSoftwareRoof } from "./roof.ts";
import { type Recording, skyOf } from "./sky.ts";

const INTERVAL = 10; // s between readings
const EXPORT_CHANNEL_0 = 0x10;
/** ms between two steps of the clock, and the most that one catches up with */
const STEP = 250;
const LONGEST_STEP = 1000;
/** s of the meters' time between settlements */
const SETTLE_EVERY = 1800;

const ROOFS = [
  { city: "Lisbon", latitude: 38.72, longitude: -9.14, capacity: 4000 },
  { city: "Munich", latitude: 48.14, longitude: 11.58, capacity: 8000 },
  { city: "Athens", latitude: 37.98, longitude: 23.73, capacity: 6000 },
];

export type World = Everything & {
  chain: LocalChain;
  place: Place;
  don: LocalDon;
  oracle: OracleProcess;
  /** of the subgraph, where one was asked for */
  indexer: GraphNode | undefined;
  roofs: Roof[];
  /** block of the first registration or any before */
  fromBlock: bigint;
  /** Lets time pass from now on: the chain's clock, the meters' readings, their uploads. */
  run: () => void;
  /** Does something while time stands still. */
  still: <T>(task: () => Promise<T>) => Promise<T>;
  /** Unix time of the meters, s */
  now: () => number;
  /** what is replayed; undefined = the modelled sun */
  recording: Recording | undefined;
  /** the recording that is replayed has come to its end */
  isOver: () => boolean;
  /** why time has come to stand still for good; undefined = it has not */
  whyStopped: () => string | undefined;
};

export type WorldOptions = {
  port: number;
  chainPort: number;
  /** of the subgraph's indexer; undefined = none is wanted */
  indexerPort: number | undefined;
  /** seconds that pass in one */
  speed: number;
  replay: string | undefined;
  /** the devices are the firmware, in place of the protocol in software */
  firmware: boolean;
  stops: Stops;
  say: (stage: string) => void;
  /** told what goes wrong while it runs */
  complain: (problem: string) => void;
};

/** Throws a Problem where the replay cannot be read. */
export async function createWorld({
  port,
  chainPort,
  indexerPort,
  speed,
  replay,
  firmware,
  stops,
  say,
  complain,
}: WorldOptions): Promise<World> {
  const found = await skyOf(replay, INTERVAL);
  if (!found.ok) throw new Problem(found.problem);
  const { chainStart, start: firstReading, recording } = found.sky;
  for (const remark of recording?.remarks ?? []) say(remark);
  const folder = await temporaryFolder(stops);

  const startRoof = firmware ? await prepareFirmware(folder, stops, say) : startSoftwareRoof;
  await compile(folder, stops, say);
  const dashboard = await buildDashboard();
  say("starting a chain with P-256 verification at 0x100");
  const chain = await startChain(chainPort, chainStart);
  stops.add(() => chain.stop());
  const everything = await deployEverything(chain, say, recording?.capacity);
  const { chainlink, deployment, attestor, subscriptionId, conspirator } = everything;
  writeLocalNetwork(everything, complain);
  if (firstReading !== undefined) await chain.mineAt(firstReading - INTERVAL);

  say("starting a DON of four nodes");
  const don = await startLocalDon(deployerOf(chain, ACCOUNTS.chainlink), {
    chainlink,
    folder,
    onError: (error) => complain(`the DON: ${firstLine(error)}`),
  });
  stops.add(() => don.stop());

  const oraclePort = port || (await freePort());
  say(`starting the oracle on :${oraclePort}`);
  const fromBlock = await chain.publicClient.getBlockNumber();
  const oracle = await startOracle(
    {
      PORT: String(oraclePort),
      WATTWITNESS_RPC_URL: chain.url,
      WATTWITNESS_REGISTRY: deployment.registry,
      WATTWITNESS_WATTWITNESS: deployment.wattWitness,
      WATTWITNESS_ATTESTOR: attestor,
      WATTWITNESS_SUBSCRIPTION_ID: String(subscriptionId),
      WATTWITNESS_FUNCTIONS_ROUTER: chainlink.router,
      WATTWITNESS_OPERATOR_KEY: chain.key(ACCOUNTS.operator),
      WATTWITNESS_PUBLIC_URLS: `http://127.0.0.1:${oraclePort}`,
      WATTWITNESS_DATA_DIR: join(folder, "oracle"),
      WATTWITNESS_DASHBOARD_DIR: dashboard,
      WATTWITNESS_FROM_BLOCK: String(deployment.fromBlock),
      WATTWITNESS_POLL_EVERY: "1",
      WATTWITNESS_SETTLE_EVERY: String(SETTLE_EVERY),
      WATTWITNESS_ALIGNMENT: "0",
      WATTWITNESS_RETRY_AFTER: "120",
      WATTWITNESS_CONFIRMATIONS: "2",
    },
    join(folder, "oracle.log"),
    stops,
  );

  const index = async (): Promise<GraphNode> => {
    say("building the subgraph");
    const manifest = await buildSubgraph(LOCAL_NETWORK, networkOf(deployment, attestor));
    const port = indexerPort || (await freePort());
    say(`starting the indexer on :${port}`);
    const options = { manifest, network: LOCAL_NETWORK, rpcUrl: chain.url, port };
    return startIndexer(options, stops);
  };
  const indexer = indexerPort === undefined ? undefined : await index();

  say("registering three meters");
  const place: Place = { chainId: chain.publicClient.chain?.id as number, registry: deployment.registry };
  const began = firstReading === undefined ? await chain.time() : firstReading - INTERVAL;
  const surroundings = {
    ...{ place, interval: INTERVAL, source: EXPORT_CHANNEL_0 },
    ...{ oracleUrl: oracle.url, start: began },
  };
  const roofs: Roof[] = [];
  for (const [i, { city, ...installation }] of ROOFS.entries()) {
    const capacity = recording?.capacity ?? installation.capacity;
    const plan = {
      name: recording ? `roof ${i + 1}` : city,
      capacity,
      owner: chain.wallet(ACCOUNTS.firstOwner + i).account.address,
      privateKey: createHash("sha256").update(`demo meter ${i}`).digest(),
      powerAt: recording?.powerAt ?? sunPower({ ...installation, capacity, seed: city }),
    };
    const roof = await startRoof(plan, surroundings);
    await roof.goOn(began + INTERVAL);
    await announce(roof, { place, oracleUrl: oracle.url, number: i, bootedAt: began });
    await register(roof, oracle.url, chain, deployment);
    roofs.push(roof);
  }
  await indexer?.indexed(await chain.publicClient.getBlockNumber({ cacheTime: 0 }));

  let now = began + INTERVAL;
  const still = createTurns();
  const pass = async (seconds: number) => {
    now = Math.max(recording?.leap(now) ?? now + seconds, await chain.time());
    await chain.mineAt(now);
    await Promise.all(roofs.map((roof) => roof.goOn(now)));
  };
  let whyStopped: string | undefined;
  const run = () => {
    const abort = new AbortController();
    const running = (async () => {
      for (let last = Date.now(); !abort.signal.aborted; ) {
        await delay(STEP, undefined, { signal: abort.signal }).catch(() => undefined);
        const passed = Date.now() - last;
        last += passed;
        const step = Math.min(passed, LONGEST_STEP);
        await still(() => pass(Math.round((step / 1000) * speed)));
      }
    })().catch((error) => {
      whyStopped = firstLine(error);
      complain(`the clock stopped: ${whyStopped}`);
    });
    stops.add(async () => {
      abort.abort();
      await running;
    });
  };
  return {
    ...{
      chain,
      chainlink,
      deployment,
      attestor,
      subscriptionId,
      place,
      don,
      oracle,
      indexer,
      roofs,
      conspirator,
      fromBlock,
      run,
      still,
      recording,
    },
    now: () => now,
    isOver: () => recording !== undefined && now > recording.end,
    whyStopped: () => whyStopped,
  };
}

/** Posts the application to the oracle; the registrar takes it from there and registers the meter on chain. */
async function register(roof: Roof, oracleUrl: string, chain: LocalChain, { registry }: Deployment): Promise<void> {
  const { device, capacity } = roof;
  const application = await roof.apply(createHash("sha256").update(`${roof.name}, ${capacity} W`).digest());
  const response = await fetch(new URL("/registrations", oracleUrl), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(application),
  });
  if (!response.ok) throw new Error(`the oracle refused the registration of ${roof.name}: ${await response.text()}`);

  const pending = (await (await fetch(new URL("/registrations", oracleUrl))).json()) as {
    registrations: (Registration & { keyId: string })[];
  };
  const applied = pending.registrations.find(({ keyId }) => keyId === toHex(device.keyId));
  if (!applied) throw new Error(`the oracle does not list the registration of ${roof.name}`);
  const { publicKey, baseline, claim, source } = applied;
  const wallet = chain.wallet(ACCOUNTS.registrar);
  const hash = await wallet.writeContract({
    chain: wallet.chain,
    address: registry,
    abi: meterRegistryAbi,
    functionName: "register",
    args: [
      {
        key: publicKeyParts(fromHex(publicKey)),
        owner: applied.owner,
        capacity: applied.capacity,
        source,
        details: applied.details,
        baseline: { ...baseline, size: BigInt(baseline.size) },
        claim: signatureParts(fromHex(claim)),
      },
    ],
  });
  const receipt = await chain.publicClient.waitForTransactionReceipt({ hash });
  if (receipt.status !== "success") throw new Error(`the registration of ${roof.name} reverted`);
}

/** Something that the user can mend: one sentence. */
export class Problem extends Error {}

export const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";

/** The settled state of a meter, from the contract. */
export const settledOf = ({ chain, deployment }: World, roof: Roof) =>
  chain.publicClient.readContract({
    address: deployment.wattWitness,
    abi: wattWitnessAbi,
    functionName: "latestOf",
    args: [toHex(roof.device.keyId)],
  });
