/**
 * A year of a device in minutes: `npm run soak [-- --days N] [--seed N] [--json]`. The real core with a software key on
 * a simulated roof (firmware/soak/device.c), a real oracle process, the real contracts on a chain that lets meters settle
 * on their signatures alone. The oracle is ended for up to ten days at a time, and a stranger settles every other new log
 * before the rest of the old one; the roof has reboots, power cuts in the middle of writes, resets and swaps of the Shelly,
 * a silent or invalid Shelly, one whose register dips for up to 500 s, and a clock that steps.
 *
 * Every day: the device has counted what it should have, never more than the roof made, and no more is on chain than that.
 * At the end: what is on chain is what was measured, to the mWh.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { zeroHash } from "viem";
import { audit, placeOf } from "../auditor/index.ts";
import { meterRegistryAbi, productionTokenAbi, wattWitnessAbi } from "../contracts/abi.ts";
import { deployWattWitness, grant, ROLES } from "../contracts/deploy.ts";
import { encodeBasis, publicKeyParts, signatureParts } from "../contracts/settlement.ts";
import { compile, type LocalChain, startChain } from "../demo/chain.ts";
import { ACCOUNTS, deployerOf } from "../demo/deployment.ts";
import { settingsText } from "../demo/firmware/device-process.ts";
import { startOracle } from "../demo/processes/oracle.ts";
import { freePort, startCompanion } from "../demo/processes/process.ts";
import { createEnding, createStops, type Stops, temporaryFolder } from "../demo/processes/stop.ts";
import { BUILDS, build, whyNoFirmware } from "../firmware/toolchain.ts";
import type { Registration } from "../meter/device.ts";
import { energyOf, fromHex, keyIdOf, toHex } from "../protocol/index.ts";
import { rpc } from "../verification/index.ts";

const HELP = `A year of a device in minutes, with everything going wrong that can.

  npm run soak                  365 days at 10 s

  --days N                      so many days (365)
  --seed N                      another year (1)
  --json                        the figures as one JSON object on the last line, too
  --help                        this text`;

/** 2026-03-20T00:00:00Z */
const START = 1_773_964_800;
const [HOUR, DAY] = [3600, 86_400];
const CAPACITY = 5000; // W
const EXPORT_CHANNEL_0 = 0x10;
const INTERVAL = 10; // s
const UNITS_PER_MWH = 10n ** 12n;
/** days of the longest outage, and days between the beginnings of two on average */
const [LONGEST_OUTAGE, OUTAGE_EVERY] = [10, 30];
/** ms that the oracle may take to see a block, or to settle */
const PATIENCE = 120_000;

type Report = {
  now: number;
  epoch: number;
  size: number;
  acknowledged: number;
  energy: string;
  owed: string;
  expected: string;
  sun: string;
  uncounted: string;
  timestamp: number;
  fill: number;
  interval: number;
  status: number;
  error: string;
  erasures: number;
  happened: Record<string, number>;
  epochs: Record<string, number>;
};

const stops = createStops();
const ending = createEnding(stops);
const began = performance.now();
const secondsSince = (time: number): number => (performance.now() - time) / 1000;
const say = (what: string) => console.error(`${secondsSince(began).toFixed(1).padStart(6)} s  ${what}`);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      days: { type: "string", default: "365" },
      seed: { type: "string", default: "1" },
      json: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return console.log(HELP);
  const [days, seed] = [Number(values.days), Number(values.seed)];
  if (!Number.isSafeInteger(days) || days < 1 || !Number.isSafeInteger(seed) || seed < 0) {
    throw new Error("--days is a number from 1 on, --seed one from 0 on");
  }
  const problem = whyNoFirmware();
  if (problem) return console.log(problem);
  const figures = await soak(days, seed);
  print(figures);
  if (values.json) console.log(JSON.stringify(figures));
}

// THE YEAR

type Figures = Awaited<ReturnType<typeof soak>>;

async function soak(days: number, seed: number) {
  const folder = await temporaryFolder(stops, "soak");
  say("building the device and the contracts");
  const programs = await build(BUILDS.device, ["wattwitness-soak"]);
  await compile();
  const chain = await startChain(0, START);
  stops.add(() => chain.stop());
  const admin = deployerOf(chain, ACCOUNTS.admin);
  const deployment = await deployWattWitness(admin, { unattestedAfter: 0 });
  await grant(admin, deployment.authority, ROLES.registrar, chain.wallet(ACCOUNTS.registrar).account.address);
  const oracle = await createOracleRuns(chain, deployment, folder);
  await oracle.start();

  const settings = settingsText({
    place: { chainId: chain.publicClient.chain?.id as number, registry: deployment.registry },
    owner: chain.wallet(ACCOUNTS.firstOwner).account.address,
    ...{ capacity: CAPACITY, source: EXPORT_CHANNEL_0, interval: INTERVAL, uploadEvery: HOUR },
    // the roof is in the same program: no Shelly is asked
    ...{ oracle: oracle.url, shelly: "http://127.0.0.1" },
  });
  const ask = await startDevice(join(programs, "pc/wattwitness-soak"), folder, seed, settings);

  say("registering the meter");
  const first = START + HOUR;
  await chain.mineAt(first);
  await ask<Report>(`calm ${first}`);
  const registration = await ask<Registration>(`registration 0x${"00".repeat(32)}`);
  await register(chain, deployment.registry, registration);
  const baseline = energyOf(fromHex(registration.baseline.reading));

  const minted = async (): Promise<bigint> =>
    (await chain.publicClient.readContract({
      ...{ address: deployment.token, abi: productionTokenAbi, functionName: "totalSupply" },
    })) as bigint;
  const check = (report: Report, supply: bigint) => {
    const [energy, expected, sun] = [BigInt(report.energy), BigInt(report.expected), BigInt(report.sun)];
    const day = Math.round((report.now - START) / DAY);
    const wrong = (what: string) => new Error(`day ${day}: ${what}: ${JSON.stringify(report)}`);
    if (energy + BigInt(report.owed) !== expected) throw wrong("the device has not counted what its meter showed");
    // a jump that is not counted is what remains of a clock that was ahead over a reboot
    const jumps = report.happened["jumps"] ?? 0;
    if (jumps > (report.epochs["the clock had been ahead"] ?? 0)) throw wrong("increases were taken for jumps");
    if (energy > sun) throw wrong("the device has counted more than the sun gave");
    if (supply > (energy - baseline) * UNITS_PER_MWH) throw wrong(`more is on chain than was measured, ${supply}`);
  };

  const overtake = createStranger(chain, deployment.wattWitness, oracle.url, fromHex(registration.publicKey));
  let overtaken = 0;
  const outages = planOutages(days, seed);
  let fullest = 0;
  let longest = INTERVAL;
  for (let day = 1; day <= days; day++) {
    const outage = outages.find(({ from, to }) => from <= day && day < to);
    if (outage?.from === day) await oracle.stop();
    if (!outage) await oracle.start();
    const until = START + day * DAY;
    await chain.mineAt(until);
    await oracle.seen();
    const report = await ask<Report>(`run ${until}`);
    if (!outage && day % 2 === 0 && (await overtake())) overtaken += 1;
    check(report, await minted());
    fullest = Math.max(fullest, report.fill);
    longest = Math.max(longest, report.interval);
    if (day % 10 === 0) {
      const { epoch, size, acknowledged, fill } = report;
      say(`day ${day}: epoch ${epoch}, ${size} readings, ${acknowledged} acknowledged, the queue ${fill} % full`);
    }
  }

  // two sunny days on which nothing happens, the last until after sunset
  await oracle.start();
  let until = START + days * DAY;
  let report: Report | undefined;
  for (const quiet of [DAY, DAY + 20 * HOUR]) {
    until = START + days * DAY + quiet;
    await chain.mineAt(until);
    await oracle.seen();
    report = await ask<Report>(`calm ${until}`);
    check(report, await minted());
  }
  const { energy, ...end } = report as Report;
  const measured = BigInt(energy) - baseline;
  say("waiting for the last settlement");
  let supply = 0n;
  for (const patience = Date.now() + PATIENCE; Date.now() < patience; await delay(500)) {
    until += HOUR;
    await chain.mineAt(until);
    await oracle.seen();
    supply = await minted();
    if (supply === measured * UNITS_PER_MWH) break;
  }
  if (supply !== measured * UNITS_PER_MWH) {
    throw new Error(
      `${supply / UNITS_PER_MWH} mWh are on chain, and ${measured} were measured: ${JSON.stringify(end)}`,
    );
  }
  say("auditing everything");
  const audited = await auditOf(chain, deployment.registry, [join(folder, "published"), oracle.url]);
  const longestOutage = Math.max(0, ...outages.map(({ from, to }) => to - from));
  return {
    ...{ days, seed, seconds: secondsSince(began), measured: String(measured), minted: String(supply / UNITS_PER_MWH) },
    ...{ sun: end.sun, uncounted: end.uncounted, epoch: end.epoch, epochs: end.epochs, happened: end.happened },
    ...{
      audited,
      overtaken,
      outages: outages.length,
      longestOutage,
      fullest,
      longestInterval: longest,
      erasures: end.erasures,
    },
  };
}

/** What an auditor comes to, who has what was published, and the oracle. Throws where that is not that all is verified. */
async function auditOf(chain: LocalChain, registry: `0x${string}`, places: string[]) {
  const start = performance.now();
  const { verdict, findings, figures } = await audit({
    ...{ chain: rpc(chain.url), registry: registry.toLowerCase() as `0x${string}`, places: places.map(placeOf) },
  });
  if (verdict !== "verified") throw new Error(`an audit says ${verdict}: ${JSON.stringify(findings.slice(0, 3))}`);
  return { readings: figures.readings, settlements: figures.settlements_verified, seconds: secondsSince(start) };
}

/** Days on which the oracle is away: at random, and one as long as any where there is time for it. */
function planOutages(days: number, seed: number): { from: number; to: number }[] {
  let state = BigInt(seed) * 2n + 1n;
  const below = (limit: number): number => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffff_ffff_ffff_ffffn;
    return Number((state >> 33n) % BigInt(limit));
  };
  const outages: { from: number; to: number }[] = [];
  for (let day = 3; day < days; day++) {
    if (below(OUTAGE_EVERY) !== 0 && !(outages.length === 0 && day > 3 && days > LONGEST_OUTAGE + 10)) continue;
    const length = outages.length === 0 ? LONGEST_OUTAGE : 1 + below(LONGEST_OUTAGE);
    outages.push({ from: day, to: Math.min(day + length, days + 1) });
    day += length + 2;
  }
  return outages;
}

// THE DEVICE

async function startDevice(program: string, folder: string, seed: number, settings: string) {
  const file = join(folder, "settings");
  await writeFile(file, settings);
  const args = [file, join(folder, "key"), String(seed), String(START)];
  const companion = startCompanion(program, args, join(folder, "device.log"));
  stops.add(companion.finish);
  /** Resolves to the answer to one command. */
  return async <T>(command: string): Promise<T> => JSON.parse(await companion.ask(command)) as T;
}

async function register(chain: LocalChain, registry: `0x${string}`, registration: Registration): Promise<void> {
  const { publicKey, claim, baseline, ...terms } = registration;
  const wallet = chain.wallet(ACCOUNTS.registrar);
  const hash = await wallet.writeContract({
    ...{ address: registry, abi: meterRegistryAbi, functionName: "register", chain: wallet.chain },
    args: [
      {
        ...terms,
        key: publicKeyParts(fromHex(publicKey)),
        baseline: { ...baseline, size: BigInt(baseline.size) },
        claim: signatureParts(fromHex(claim)),
      },
    ],
  });
  const { status } = await chain.publicClient.waitForTransactionReceipt({ hash });
  if (status !== "success") throw new Error("the registry refused the meter");
}

// THE ORACLE

/** An oracle that can be ended and started again, on the same port and the same data. */
async function createOracleRuns(
  chain: LocalChain,
  { registry, wattWitness }: { registry: `0x${string}`; wattWitness: `0x${string}` },
  folder: string,
) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let own: Stops | undefined;
  stops.add(async () => own?.stopAll());
  return {
    url,
    async start() {
      if (own) return;
      own = createStops();
      const environment = {
        PORT: String(port),
        WATTWITNESS_RPC_URL: chain.url,
        WATTWITNESS_REGISTRY: registry,
        WATTWITNESS_WATTWITNESS: wattWitness,
        WATTWITNESS_OPERATOR_KEY: chain.key(ACCOUNTS.operator),
        WATTWITNESS_DATA_DIR: join(folder, "oracle"),
        WATTWITNESS_PUBLISH_DIR: join(folder, "published"),
        WATTWITNESS_POLL_EVERY: "1",
        WATTWITNESS_CONFIRMATIONS: "1",
        LOG_LEVEL: "warn",
      };
      await startOracle(environment, join(folder, "oracle.log"), own);
    },
    async stop() {
      await own?.stopAll();
      own = undefined;
    },
    /** Resolves once it has seen the newest block; at once where it is away. */
    async seen() {
      if (!own) return;
      const newest = Number(await chain.publicClient.getBlockNumber({ cacheTime: 0 }));
      for (const patience = Date.now() + PATIENCE; Date.now() < patience; await delay(20)) {
        const health = await fetch(new URL("/health", url)).then((response) => response.json() as Promise<unknown>);
        if ((health as { block: number }).block >= newest) return;
      }
      throw new Error(`the oracle does not see block ${newest}`);
    },
  };
}

// SOMEBODY ELSE

/**
 * Returns what settles the device's newest log where nothing of it is, whatever is left of the one before, with nothing but
 * what an oracle serves to anyone. It resolves to whether it did.
 */
function createStranger(
  chain: LocalChain,
  wattWitness: `0x${string}`,
  oracleUrl: string,
  publicKey: Uint8Array,
): () => Promise<boolean> {
  const keyId = toHex(keyIdOf(publicKey));
  const onWattWitness = { address: wattWitness, abi: wattWitnessAbi } as const;
  const { publicClient } = chain;
  const wallet = chain.wallet(ACCOUNTS.conspirator);
  type Proven = Record<"reading" | "root" | "signature", `0x${string}`> & { size: number; proof: `0x${string}`[] };
  const get = async <T>(path: string) => (await (await fetch(new URL(path, oracleUrl))).json()) as T;

  return async () => {
    const { logs } = await get<{ logs: { epoch: number; settled: number }[] }>(`/meters/${keyId}`);
    const newest = logs.at(-1);
    if (!newest || newest.settled > 0) return false;
    const { epoch } = newest;
    const readingAt = (index: number) =>
      get<{ reading: `0x${string}`; signed: Proven }>(`/logs/${keyId}/${epoch}/readings/${index}`);
    const { reading: firstReading, signed } = await readingAt(0);
    const { size, reading, root, signature, proof } = signed;
    const { timestamp } = await publicClient.readContract({
      ...onWattWitness,
      functionName: "latestOf",
      args: [keyId],
    });
    const item = {
      ...{ key: publicKeyParts(publicKey), head: { epoch, size: BigInt(size), reading, root } },
      ...{ signature: signatureParts(fromHex(signature)), firstReading, growth: proof },
      basis: encodeBasis({
        ...{ settledSize: 0, settledTimestamp: timestamp, capacity: CAPACITY },
        ...{ from: 0, segment: 0, segments: 0 },
      }),
      witness: (await readingAt(size - 1)).signed.proof,
    };
    const call = { ...onWattWitness, functionName: "settle", args: [zeroHash, [item]] } as const;
    // a head that the contract refuses is none for a stranger either: its clock drifted, or had been ahead
    const refusal = await publicClient.simulateContract({ ...call, account: wallet.account }).catch((error) => error);
    if (refusal instanceof Error) return false;
    const hash = await wallet.writeContract({ ...call, chain: wallet.chain });
    const { status } = await publicClient.waitForTransactionReceipt({ hash });
    if (status !== "success") throw new Error("the settlement of a stranger reverted");
    return true;
  };
}

// FIGURES

function print(figures: Figures): void {
  const style = { head: [], border: [] };
  const table = new Table({ style, head: ["soak", `${figures.days} days at 10 s, seed ${figures.seed}`] });
  const kwh = (mwh: string): string => `${(Number(mwh) / 1e6).toFixed(6)} kWh`;
  const list = (counts: Record<string, number>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join("\n");
  table.push(
    ["measured since the registration", kwh(figures.measured)],
    ["on chain", kwh(figures.minted)],
    ["made by the roof", kwh(figures.sun)],
    ["taken for a jump, and not counted", kwh(figures.uncounted)],
    [
      "audited, all verified",
      `${figures.audited.readings.toLocaleString("en")} readings of ${figures.audited.settlements} settlements, in ${figures.audited.seconds.toFixed(1)} s`,
    ],
    ["logs that a stranger settled first", figures.overtaken],
    ["outages of the oracle", `${figures.outages}, the longest of ${figures.longestOutage} days`],
    ["queue", `${figures.fullest} % full at most, then a reading every ${figures.longestInterval} s`],
    ["sectors erased", figures.erasures],
    ["happened", list(figures.happened)],
    [`epochs begun: ${figures.epoch}`, list(figures.epochs)],
    ["took", `${figures.seconds.toFixed(0)} s`],
  );
  console.log(table.toString());
}

try {
  await main();
  await ending.end(0);
} catch (error) {
  if (!ending.hasBegun()) console.error((error as Error).message);
  await ending.end(1);
}
