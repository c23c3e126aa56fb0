/**
 * Where faults happen: a real chain with the contracts on it, a node before it that can be made to misbehave, an oracle in a
 * process of its own, and meters that know what was acknowledged.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Hex, toHex as hexOf } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { meterRegistryAbi, productionTokenAbi, wattWitnessAbi } from "../../../../contracts/abi.ts";
import { type Deployment, deployWattWitness, grant, ROLES, type Wallet } from "../../../../contracts/deploy.ts";
import { publicKeyParts, signatureParts } from "../../../../contracts/settlement.ts";
import { artifact, CAPACITY, POWER, SOURCE, START, UNITS } from "../../../../contracts/test/fixture.ts";
import { createStops, temporaryFolder } from "../../../../demo/processes/stop.ts";
import { createDevice, type Device, type Post, type Registration } from "../../../../meter/device.ts";
import { createMeter, type Meter } from "../../../../meter/meter.ts";
import { sendTo } from "../../../../meter/upload.ts";
import { energyOf, fromHex, generatePrivateKey, toHex } from "../../../../protocol/index.ts";
import { type Anvil, startAnvil } from "../../../../test/anvil.ts";
import { type Node, type Starting, startNode, until } from "./node.ts";
import { startProxy } from "./proxy.ts";

const ANVIL = fileURLToPath(
  new URL("../../../../node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil", import.meta.url),
);
/** The well-known accounts of local chains, by number. */
const MNEMONIC = "test test test test test test test test test test test junk";
const [ADMIN, REGISTRAR, OPERATOR, OWNER] = [0, 2, 3, 5];
export const INTERVAL = 10;

/** Why there can be no scene here; undefined = there can. */
export const whyNoScene = (): string | undefined =>
  existsSync(ANVIL) ? undefined : "anvil is not installed here: it is there for linux-x64 only";

export type Scene = Awaited<ReturnType<typeof createScene>>;

/** A meter, the energy that its settlements begin with, and what an oracle said that it has. */
export type Known = {
  meter: Meter;
  device: Device;
  keyId: Hex;
  application: Registration;
  baseline: bigint;
  acknowledged: number;
};

export async function createScene({ settings = {} }: { settings?: Record<string, string> } = {}) {
  const stops = createStops();
  try {
    const anvil = await startAnvil(stops);
    const wallets = anvil.wallets as Wallet[];
    const admin = { publicClient: anvil.publicClient, wallet: wallets[ADMIN] as Wallet, artifact };
    const deployment = await deployWattWitness(admin, { unattestedAfter: 0 });
    const registrar = wallets[REGISTRAR] as Wallet;
    await grant(admin, deployment.authority, ROLES.registrar, registrar.account.address);
    const proxy = await startProxy(anvil.rpcUrl);
    stops.add(() => proxy.close());
    const folder = await temporaryFolder(stops, "faults");
    return sceneOf({ anvil, deployment, registrar, proxy, folder, settings, stops });
  } catch (error) {
    await stops.stopAll();
    throw error;
  }
}

/** What an oracle tells of itself; nothing where it does not answer. */
async function healthOf(node: Node): Promise<{ block: number; jobs: unknown[] } | undefined> {
  try {
    return (await (await fetch(`${node.url}/health`)).json()) as { block: number; jobs: unknown[] };
  } catch {
    return undefined;
  }
}

type Parts = {
  anvil: Anvil;
  deployment: Deployment;
  registrar: Wallet;
  proxy: Awaited<ReturnType<typeof startProxy>>;
  folder: string;
  settings: Record<string, string>;
  stops: ReturnType<typeof createStops>;
};

function sceneOf({ anvil, deployment, registrar, proxy, folder, settings, stops }: Parts) {
  const place = { chainId: 31337, registry: deployment.registry };
  const directory = join(folder, "data");
  const known: Known[] = [];
  const nodes: Node[] = [];
  stops.add(() => Promise.all(nodes.map((node) => node.kill("SIGKILL"))));

  const key = mnemonicToAccount(MNEMONIC, { addressIndex: OPERATOR }).getHdKey().privateKey as Uint8Array;
  const environment: Record<string, string> = {
    ...{ PORT: "0", WATTWITNESS_RPC_URL: proxy.url, WATTWITNESS_DATA_DIR: directory },
    ...{ WATTWITNESS_REGISTRY: deployment.registry, WATTWITNESS_WATTWITNESS: deployment.wattWitness },
    ...{ WATTWITNESS_OPERATOR_KEY: hexOf(key), WATTWITNESS_POLL_EVERY: "1", WATTWITNESS_CONFIRMATIONS: "2" },
    ...{ WATTWITNESS_SETTLE_EVERY: "0", WATTWITNESS_ALIGNMENT: "0", WATTWITNESS_RETRY_AFTER: "1" },
    ...settings,
  };

  let time = START;
  const newest = async () => (await anvil.publicClient.getBlock()).timestamp;
  const supply = () =>
    anvil.publicClient.readContract({
      ...{ address: deployment.token, abi: productionTokenAbi, functionName: "totalSupply" },
    }) as Promise<bigint>;

  /** The chain's time, as a meter's clock tells it: the next multiple of the interval, at least so much later. */
  async function passed(seconds: number): Promise<number> {
    // a reorganisation takes back what blocks said of the time, and meters go on
    time = Math.ceil((Math.max(Number(await newest()) + 1, time) + seconds) / INTERVAL) * INTERVAL;
    await anvil.at(time);
    return time;
  }

  async function register(application: Registration): Promise<Hex> {
    const { publicKey, claim, baseline, ...terms } = application;
    const args = [
      {
        ...terms,
        key: publicKeyParts(fromHex(publicKey)),
        baseline: { ...baseline, size: BigInt(baseline.size) },
        claim: signatureParts(fromHex(claim)),
      },
    ] as const;
    const { chain } = registrar;
    return registrar.writeContract({
      address: place.registry,
      abi: meterRegistryAbi,
      functionName: "register",
      args,
      chain,
    });
  }

  return {
    ...{ anvil, proxy, place, deployment, folder, directory, environment, known, nodes, supply, register },

    /** A device and its meter, with ten readings, that nobody registered. */
    async newMeter(): Promise<Known> {
      const device = createDevice({
        privateKey: generatePrivateKey(),
        epoch: 1,
        interval: INTERVAL,
        source: SOURCE,
        place,
      });
      const now = await passed(100);
      const meter = createMeter({ device, powerAt: () => POWER, start: now - 100 });
      meter.advance(now);
      const owner = anvil.wallets[OWNER]?.account.address as Hex;
      const application = device.registration({ owner, capacity: CAPACITY, details: new Uint8Array(32) });
      return { meter, device, keyId: toHex(device.keyId), application, baseline: device.energy, acknowledged: 0 };
    },

    /** The same, registered. */
    async addMeter(): Promise<Known> {
      const added = await this.newMeter();
      await register(added.application);
      known.push(added);
      return added;
    },

    /** Registers again what a reorganisation took back. */
    async registerAgain(): Promise<void> {
      for (const one of known) if ((await this.settledSize(one)) === 0) await register(one.application);
    },

    /** Lets time pass, for the chain and for all meters. */
    async live(seconds: number): Promise<void> {
      const now = await passed(seconds);
      for (const { meter } of known) meter.advance(now);
    },

    /** On the scene's folder, unless told; killed with the scene. */
    async start(more: Omit<Starting, "environment"> & { settings?: Record<string, string> } = {}): Promise<Node> {
      const { settings: others = {}, ...starting } = more;
      const node = await startNode({ environment: { ...environment, ...others }, directory: folder, ...starting });
      nodes.push(node);
      return node;
    },

    /** Resolves once the oracle has seen the newest block. */
    async seen(node: Node): Promise<void> {
      const newest = Number(await anvil.publicClient.getBlockNumber());
      await until(
        async () => ((await healthOf(node))?.block ?? -1) >= newest,
        () => `it sees no new block: ${node.said().slice(-2000)}`,
      );
    },

    /** The next post of a meter, of so many readings at most. */
    nextPost({ device, keyId }: Known, most: number): Post | undefined {
      const from = device.acknowledged;
      const size = Math.min(device.size, from + most);
      if (size === from) return undefined;
      const readings = device.readings.slice(from, size).map(toHex);
      return { keyId, epoch: device.epoch, size, readings, signature: toHex(device.head(size).signature) };
    },

    /** Sends one post and remembers what was acknowledged. Returns the status; 0 = no answer. */
    async post(node: Node, one: Known, post: Post | undefined = one.device.nextPost()): Promise<number> {
      if (!post) return 200;
      const answer = await sendTo(node.url)(post);
      if (answer.status === 200) one.acknowledged = Math.max(one.acknowledged, post.size);
      one.device.answered(post, answer, one.meter.now);
      return answer.status;
    },

    /** Posts all that meters have, until it is acknowledged or the oracle has ended. */
    async upload(node: Node): Promise<void> {
      let status = 0;
      const postAll = async (one: Known) => {
        do status = await this.post(node, one);
        while (status === 200 && one.device.nextPost());
      };
      const isDone = async () => {
        for (const one of known) if (one.device.nextPost()) await postAll(one);
        return node.hasEnded() || known.every(({ device }) => !device.nextPost());
      };
      await until(isDone, () => `a post is answered ${status}: ${node.said().slice(-2000)}`);
    },

    /** Fails where the oracle lacks what was acknowledged, or has what no device signed. */
    async assertKept(node: Node): Promise<void> {
      for (const { device, keyId, acknowledged } of known) {
        const stored: string[] = [];
        for (let from = 0; ; from = stored.length) {
          const response = await fetch(`${node.url}/logs/${keyId}/1/readings?from=${from}&limit=1000`);
          if (response.status === 404 && acknowledged === 0) break;
          const text = await response.text();
          assert.equal(response.status, 200, text);
          const { readings } = JSON.parse(text) as { readings: string[] };
          stored.push(...readings);
          if (readings.length < 1000) break;
        }
        assert.ok(stored.length >= acknowledged, `${acknowledged} were acknowledged, and ${stored.length} are there`);
        assert.deepEqual(stored, device.readings.slice(0, stored.length).map(toHex));
      }
    },

    /** mWh that all meters measured and an oracle acknowledged since they were registered. */
    measured(): bigint {
      const of = ({ device, baseline, acknowledged }: Known) =>
        acknowledged === 0 ? 0n : energyOf(device.readings[acknowledged - 1] as Uint8Array) - baseline;
      return known.map(of).reduce((sum, energy) => sum + (energy > 0n ? energy : 0n), 0n);
    },

    /** Fails where more is minted than was measured, as where something is settled twice. */
    async assertNothingTwice(): Promise<void> {
      const devices = known.map(({ device, baseline }) => device.energy - baseline);
      const most = devices.reduce((sum, energy) => sum + energy, 0n) * UNITS;
      const minted = await supply();
      assert.ok(minted <= most, `${minted} is minted, and ${most} was measured`);
    },

    /** Mines blocks until all that was acknowledged is settled and final. Returns whether it is: false where the oracle ended. */
    async settle(node: Node): Promise<boolean> {
      const wanted = this.measured() * UNITS;
      let [jobs, minted]: [unknown[], bigint] = [[], 0n];
      const isSettled = async () => {
        await anvil.request("evm_mine");
        minted = await supply();
        jobs = (await healthOf(node))?.jobs ?? ["no answer"];
        return minted >= wanted && jobs.length === 0;
      };
      await until(
        async () => (await isSettled()) || node.hasEnded(),
        () => `${minted} of ${wanted} is minted, under way is ${JSON.stringify(jobs)}: ${node.said().slice(-3000)}`,
      );
      return !node.hasEnded();
    },

    /** The same, and fails where anything else than that is minted. */
    async assertSettled(node: Node): Promise<void> {
      assert.ok(await this.settle(node), `the oracle has ended: ${node.said().slice(-3000)}`);
      assert.equal(await supply(), this.measured() * UNITS);
    },

    /** size of the log of a meter that is settled on chain */
    async settledSize({ keyId }: Known): Promise<number> {
      const { wattWitness: address } = deployment;
      const args = [keyId] as const;
      const { size } = await anvil.publicClient.readContract({
        address,
        abi: wattWitnessAbi,
        functionName: "latestOf",
        args,
      });
      return Number(size);
    },

    /** What /ready says. */
    async reasons(node: Node): Promise<string[]> {
      const response = await fetch(`${node.url}/ready`);
      return ((await response.json()) as { reasons: string[] }).reasons;
    },

    close: () => stops.stopAll(),
  };
}
