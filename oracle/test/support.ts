/** What the oracle's tests share: meters at a modelled noon, an oracle on a fake chain, folders that go away again. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { createDevice, type Device, type Post } from "../../meter/device.ts";
import { createMeter, type Meter, type PowerAt } from "../../meter/meter.ts";
import { encodeReading, generatePrivateKey, type Reading, toHex } from "../../protocol/index.ts";
import { buildApp } from "../http/app.ts";
import { createOracle, type Oracle, type OracleConfig } from "../oracle.ts";
import type { Outlet } from "../publishing/outlet.ts";
import { openEmbeddedStore } from "../store/embedded/store.ts";
import type { Store } from "../store/store.ts";
import { createFakeChain, type FakeChain } from "./chain/fake-chain.ts";

export const START = 1_773_964_800; // a full hour
export const CAPACITY = 5000;
export const OWNER = `0x${"ab".repeat(20)}`;
export const INTERVAL = 10;
export const PLACE = { chainId: 31337, registry: `0x${"5f".repeat(20)}` } as const;

export const silent = pino({ level: "silent" });

/** Folders made by `temporaryDirectory`, removed by mocha after each test. */
const directories: string[] = [];

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "wattwitness-"));
  directories.push(directory);
  return directory;
}

/** Stores opened by `openStore`: one that writes behind would write into a folder that goes away. */
const stores: Store[] = [];

export async function removeDirectories(): Promise<void> {
  for (const store of stores.splice(0)) await store.close().catch(() => {});
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
}

export async function openStore(directory: string): Promise<Store> {
  const opening = await openEmbeddedStore(directory, silent);
  if (!opening.ok) throw new Error(opening.problem);
  stores.push(opening.store);
  return opening.store;
}

export function newMeter(powerAt: PowerAt = () => 1_000_000n, start = START): Meter {
  const device = createDevice({
    privateKey: generatePrivateKey(),
    epoch: 1,
    interval: INTERVAL,
    source: 0,
    place: PLACE,
  });
  return createMeter({ device, powerAt, start });
}

export type World = {
  chain: FakeChain;
  oracle: Oracle;
  app: ReturnType<typeof buildApp>;
  directory: string;
  /** s; the clock of oracle and chain */
  now: number;
  post: (post: unknown) => Promise<{ status: number; body: ReturnType<typeof JSON.parse> }>;
  /** Registers a device with its newest head as the baseline, and lets the oracle see it. */
  register: (device: Device) => Promise<void>;
  /** Rotates a meter to the key of another device, with its newest head as the baseline, and lets the oracle see it. */
  rotate: (from: Device, to: Device) => Promise<void>;
  /** A meter that is registered with its first ten readings. */
  newMeter: () => Promise<Meter>;
  /** Posts all that a device has; fails where it is refused. */
  upload: (device: Device) => Promise<void>;
  /** Lets a meter live until a moment (Unix time, s), which it is then, and posts what it has. */
  live: (meter: Meter, until: number) => Promise<void>;
  /** The oracle as after a crash: a new one on the same folder. */
  restart: () => Promise<void>;
};

export const DEMO_RULES: OracleConfig = {
  fromBlock: 0,
  settleEvery: 0,
  retryAfter: 60,
  alignment: 0,
  batchLimit: 2_000_000,
  confirmations: 2,
  attestation: { subscriptionId: 7n, publicUrls: ["http://127.0.0.1:8000"] },
  settles: true,
};

type Publishing = { outlets: Outlet[]; publicUrls: string[] };

export async function newWorld(rules: Partial<OracleConfig> = {}, publishing?: Publishing): Promise<World> {
  const directory = await temporaryDirectory();
  const config = { ...DEMO_RULES, ...rules };
  const clock = { now: START };
  const chain = createFakeChain(PLACE, () => clock.now);
  const start = async () => {
    const store = await openStore(directory);
    const oracle = await createOracle({
      ...{ config, store, chain, now: () => clock.now, logger: silent },
      ...(publishing && { publishing }),
    });
    await oracle.tick().catch(() => {});
    return { oracle, app: buildApp({ oracle, chain, logger: silent }) };
  };
  const world: World = {
    chain,
    ...(await start()),
    directory,
    get now() {
      return clock.now;
    },
    set now(now) {
      clock.now = now;
    },
    async post(post) {
      const response = await world.app.inject({ method: "POST", url: "/readings", payload: post as object });
      return { status: response.statusCode, body: response.json() };
    },
    async register(device) {
      clock.now = Math.max(clock.now, device.lastTimestamp);
      chain.register(device.registration({ owner: OWNER, capacity: CAPACITY, details: new Uint8Array(32) }));
      await world.oracle.tick();
    },
    async rotate(from, to) {
      clock.now = Math.max(clock.now, to.lastTimestamp);
      const claimed = to.registration({ owner: OWNER, capacity: CAPACITY, details: new Uint8Array(32) });
      chain.act({ keyId: toHex(from.keyId), act: claimed });
      await world.oracle.tick();
    },
    async newMeter() {
      const meter = newMeter();
      meter.advance(START + 100);
      await world.register(meter.device);
      return meter;
    },
    async live(meter, until) {
      clock.now = until;
      meter.advance(until);
      await world.upload(meter.device);
    },
    async upload(device) {
      for (let post = device.nextPost(); post; post = device.nextPost()) {
        const { status, body } = await world.post(post);
        if (status !== 200) throw new Error(JSON.stringify(body));
        device.answered(post, { status, body }, clock.now);
      }
    },
    async restart() {
      await world.app.close();
      Object.assign(world, await start());
    },
  };
  return world;
}

/** A post that says what a device would not: readings of one's own, under a signature of one's own. */
export const postOf = (device: Device, readings: readonly Uint8Array[], more: Partial<Post> = {}): Post => ({
  keyId: toHex(device.keyId),
  epoch: device.epoch,
  size: readings.length,
  readings: readings.map(toHex),
  signature: toHex(new Uint8Array(64)),
  ...more,
});

export const readingAt = (timestamp: number, energy: bigint, more: Partial<Reading> = {}): Uint8Array =>
  encodeReading({ timestamp, energy, power: 0n, source: 0, conditions: 0, ...more });
