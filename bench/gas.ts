/**
 * What settling costs: `npm run bench:gas [-- --json]`. `npm run gas` writes it into gas.json, and `npm run gas:check`
 * exits 1 where a figure is more than 2 % away from what is committed there.
 * Real transactions on a local chain with P-256 verification at 0x100, and on one without it, where OpenZeppelin's
 * Solidity does it. Every meter has settled before, so that nothing is paid for that is paid once only.
 */
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { type Hex, zeroHash } from "viem";
import {
  closeSetup,
  type Step as DeploymentStep,
  deployFunctionsAttestor,
  deployWattWitness,
  grant,
  ROLES,
} from "../contracts/deploy.ts";
import { type SettlementItem, settlementItem } from "../contracts/settlement.ts";
import {
  artifact,
  createMeter,
  deployFixture,
  type Fixture,
  produce,
  START,
  type TestMeter,
} from "../contracts/test/fixture.ts";
import { withFunctions } from "../contracts/test/functions.ts";
import { deployChainlink } from "../functions-source/local-don/index.ts";
import {
  attestationLeaf,
  attestationRoot,
  createLog,
  encodeHead,
  fromHex,
  type Head,
  headHash,
  inclusionProof,
  sign,
  timestampOf,
  toHex,
} from "../protocol/index.ts";
import { gasOfParks, PARK_ROWS } from "./parks.ts";

const CAPACITY = 5000; // W
const DAY = 8_640; // readings at 10 s
const HOUR = 360;
const METERS = 40;

const WEEK = 7 * DAY;
/** unattestedAfter: at any time */
const ALWAYS = 0;

/** Sizes that are settled one after the other: a baseline, a first day, an hour, and a second day or a week. */
const BASELINE = 1;
const FIRST_DAY = BASELINE + DAY;
const AN_HOUR_LATER = FIRST_DAY + HOUR;
const SECOND_DAY = AN_HOUR_LATER + DAY;
const A_WEEK_LATER = AN_HOUR_LATER + WEEK;

const readings = produce({ count: A_WEEK_LATER });
const log = createLog(readings);
const endOf = (size: number): number => START + size * 10;

type Step = { meters: TestMeter[]; from: number; to: number; isAttested?: boolean };

function itemsOf({ meters, from: settledSize, to: size, isAttested = true }: Step): {
  attestation: Hex;
  items: SettlementItem[];
} {
  const head: Head = { epoch: 1, size, reading: readings[size - 1] as Uint8Array, root: log.root(size) };
  const from = settledSize - 1;
  const leaves = meters.map(({ id, headDomain }) => {
    const hash = headHash(encodeHead(headDomain, head));
    return attestationLeaf({ keyId: fromHex(id), epoch: 1, from, capacity: CAPACITY, headHash: hash });
  });
  const items = meters.map(({ publicKey, privateKey, headDomain }, index) =>
    settlementItem({
      publicKey,
      head,
      signature: sign(encodeHead(headDomain, head), privateKey),
      settledSize,
      settledTimestamp: timestampOf(readings[from] as Uint8Array),
      capacity: CAPACITY,
      range: log.range,
      firstReading: readings[0],
      attested: isAttested ? { from, leaves, index } : undefined,
    }),
  );
  return { attestation: isAttested ? toHex(attestationRoot(leaves)) : zeroHash, items };
}

async function gasOfSettling(chain: Fixture, step: Step): Promise<number> {
  const { attestation, items } = itemsOf(step);
  if (step.isAttested ?? true) await chain.attest(attestation);
  const { gasUsed } = await chain.settle(attestation, items);
  return Number(gasUsed);
}

async function measure(network: "default" | "prague") {
  const chain = await deployFixture(network, ALWAYS);
  const deploying = await gasOfDeploying(chain);
  const meters = Array.from({ length: METERS }, (_, i) => createMeter(chain.place, i + 1, readings.slice(0, 1)));
  const registrations: number[] = [];
  for (const meter of meters) registrations.push(Number((await chain.register(meter)).gasUsed));

  const [one, ten] = [meters.slice(0, 1), meters.slice(0, 10)];
  await chain.at(endOf(FIRST_DAY));
  await gasOfSettling(chain, { meters, from: BASELINE, to: FIRST_DAY });
  await chain.at(endOf(AN_HOUR_LATER));
  const hour = await gasOfSettling(chain, { meters: one, from: FIRST_DAY, to: AN_HOUR_LATER });
  await gasOfSettling(chain, { meters: meters.slice(1), from: FIRST_DAY, to: AN_HOUR_LATER });

  /** A meter's, each time from the same state of the chain. */
  async function each(batch: TestMeter[], to: number, isAttested = true): Promise<number> {
    const snapshot = await chain.request("evm_snapshot");
    await chain.at(endOf(to));
    const gas = await gasOfSettling(chain, { meters: batch, from: AN_HOUR_LATER, to, isAttested });
    await chain.request("evm_revert", [snapshot]);
    return Math.round(gas / batch.length);
  }
  const settled = {
    settle_1x8640: await each(one, SECOND_DAY),
    settle_10x8640_per_meter: await each(ten, SECOND_DAY),
    settle_40x8640_per_meter: await each(meters, SECOND_DAY),
    settle_1x60480: await each(one, A_WEEK_LATER),
    settle_40x60480_per_meter: await each(meters, A_WEEK_LATER),
    unattested_1x8640: await each(one, SECOND_DAY, false),
    unattested_40x8640_per_meter: await each(meters, SECOND_DAY, false),
    unattested_1x60480: await each(one, A_WEEK_LATER, false),
    unattested_40x60480_per_meter: await each(meters, A_WEEK_LATER, false),
  };
  await chain.at(endOf(SECOND_DAY));
  const verifyReading = await gasOfProof(chain, one[0] as TestMeter);
  const rotated = await gasOfRotated(chain, one[0] as TestMeter);

  return {
    settle_1x360: hour,
    ...settled,
    settle_rotated_1x360: rotated,
    ...deploying,
    register: registrations.at(-1) as number,
    ...(await gasOfAttesting(chain)),
    verify_reading: verifyReading,
    ...(await gasOfParks(chain)),
  };
}

type Gas = Awaited<ReturnType<typeof measure>>;

/** An hour of a key that was rotated in, whose meter has to be looked up. */
async function gasOfRotated(chain: Fixture, meter: TestMeter): Promise<number> {
  const timestamp = endOf(SECOND_DAY);
  const next = createMeter(chain.place, METERS + 1, produce({ count: 1 + 2 * HOUR, from: { timestamp } }));
  await chain.rotate(meter.id, meter, next);
  await chain.at(timestamp + 2 * HOUR * 10);
  await chain.settleAttested({ meter: next, to: 1 + HOUR });
  const { gasUsed } = await chain.settleAttested({ meter: next, to: 1 + 2 * HOUR, settled: 1 + HOUR });
  return Number(gasUsed);
}

/** A whole deployment as `wattwitness deploy` sends it, with two roles, without and with the attestor of a DON. */
async function gasOfDeploying(chain: Fixture) {
  let gas = 0;
  const progress = ({ receipt }: DeploymentStep) => {
    gas += Number(receipt?.gasUsed ?? 0);
  };
  const deployer = { publicClient: chain.publicClient, wallet: chain.admin, artifact, progress };
  const deployment = await deployWattWitness(deployer, { unattestedAfter: ALWAYS });
  for (const role of [ROLES.registrar, ROLES.operator])
    await grant(deployer, deployment.authority, role, chain.admin.account.address);
  const source = await readFile(SOURCE_FILE, "utf8");
  await closeSetup(deployer, deployment.authority);
  const deploy = gas;
  const opened = await deployWattWitness({ ...deployer, progress: () => {} }, { unattestedAfter: ALWAYS });
  gas = 0;
  const { router, donId } = await deployChainlink({ ...deployer, progress: () => {} });
  await deployFunctionsAttestor(deployer, opened, { router, donId, source });
  return { deploy, deploy_with_don: deploy + gas };
}

/** With the source that runs in production. What the nodes answer is not what is measured, so they need not look. */
async function gasOfAttesting(chain: Fixture) {
  const source = await readFile(SOURCE_FILE, "utf8");
  const { ask, don } = await withFunctions(chain, source);
  const [digest, first, second]: Hex[] = [1, 2, 3].map((n) => toHex(new Uint8Array(32).fill(n)));
  const url = "https://oracle.example/batches/";
  for (const node of don.behaviours().keys()) don.behave(node, "liar", first);
  // the first of its kind pays for storage that later ones find
  await ask(digest as Hex, first as Hex, [url]);
  for (const node of don.behaviours().keys()) don.behave(node, "liar", second);
  const { receipt, report } = await ask(digest as Hex, second as Hex, [url]);
  await don.stop();
  return { request: Number(receipt.gasUsed), fulfil: Number(report.gasUsed) };
}

/** As a transaction would pay for it; as a view it costs nobody anything. */
async function gasOfProof({ publicClient, wattWitness, admin }: Fixture, meter: TestMeter): Promise<number> {
  const index = 1234;
  const proof = inclusionProof(log.range, index, AN_HOUR_LATER).map(toHex);
  const placed = { index: BigInt(index), reading: toHex(readings[index] as Uint8Array), proof };
  const call = { ...wattWitness, functionName: "verifyReading", args: [meter.id, 1, placed], account: admin.account };
  return Number(await publicClient.estimateContractGas(call as never));
}

/** What is measured, and how many readings a figure is for. */
const ROWS: [keyof Gas, string, number][] = [
  ["settle_1x360", "settle 1 meter, 360 readings", HOUR],
  ["settle_1x8640", "settle 1 meter, 8,640 readings", DAY],
  ["settle_10x8640_per_meter", "settle 10 meters, 8,640 readings each, a meter", DAY],
  ["settle_40x8640_per_meter", "settle 40 meters, 8,640 readings each, a meter", DAY],
  ["settle_1x60480", "settle 1 meter, 60,480 readings (a week)", WEEK],
  ["settle_40x60480_per_meter", "settle 40 meters, 60,480 readings each, a meter", WEEK],
  ["unattested_1x8640", "settle 1 meter without a DON, 8,640 readings", DAY],
  ["unattested_40x8640_per_meter", "settle 40 without a DON, 8,640 readings each, a meter", DAY],
  ["unattested_1x60480", "settle 1 meter without a DON, 60,480 readings", WEEK],
  ["unattested_40x60480_per_meter", "settle 40 without a DON, 60,480 readings each, a meter", WEEK],
  ["settle_rotated_1x360", "settle 1 meter of another key than its first, 360 readings", HOUR],
  ["deploy", "deploy the contracts", 0],
  ["deploy_with_don", "deploy them with the attestor of a DON", 0],
  ["register", "register a meter", 0],
  ["request", "request an attestation", 0],
  ["fulfil", "fulfil it (the DON's transaction)", 0],
  ["verify_reading", "verifyReading, were it a transaction", 0],
  ...PARK_ROWS.map(([key, name]): [keyof Gas, string, number] => [key, name, 0]),
];

/** Gas of a transaction that does nothing, and of P256VERIFY alone (EIP-7951): no settlement of one meter takes less. */
const FLOOR = 21_000 + 6_900;

const SOURCE_FILE = new URL("../functions-source/verify-batch.js", import.meta.url);
const SNAPSHOT = new URL("gas.json", import.meta.url);
const TOLERANCE = 0.02;

const { values } = parseArgs({
  options: { json: { type: "boolean" }, write: { type: "boolean" }, check: { type: "boolean" } },
});
const [precompile, fallback] = [await measure("default"), await measure("prague")];
const table = new Table({
  style: { head: [], border: [] },
  head: ["", "gas", "gas/reading", "without 0x100", "gas/reading"],
});
const count = (gas: number): string => gas.toLocaleString("en");
const share = (gas: number, of: number): string => (of ? (gas / of).toFixed(1) : "");
for (const [key, name, of] of ROWS) {
  const [fast, slow] = [precompile[key], fallback[key]];
  table.push([name, count(fast), share(fast, of), count(slow), share(slow, of)]);
}
console.log(table.toString());
const ratio = (precompile.settle_1x8640 / FLOOR).toFixed(2);
console.log(`One meter's day takes ${ratio} times a bare transaction with one P256VERIFY (${count(FLOOR)} gas).`);
const figures = { ...precompile, without_precompile: fallback };
if (values.json) console.log(JSON.stringify(figures));
if (values.write) await writeFile(SNAPSHOT, `${JSON.stringify(figures, null, 2)}\n`);
if (values.check) {
  const committed: typeof figures = JSON.parse(await readFile(SNAPSHOT, "utf8"));
  const apart = [
    ...differences("", committed, precompile),
    ...differences("without 0x100, ", committed.without_precompile, fallback),
  ];
  for (const line of apart) console.error(line);
  if (apart.length > 0) process.exit(1);
  console.log(`Every figure is within ${100 * TOLERANCE} % of bench/gas.json.`);
}

function differences(prefix: string, committed: Gas, measured: Gas): string[] {
  return ROWS.flatMap(([key, name]) => {
    const [was, is] = [committed[key], measured[key]];
    if (Math.abs(is - was) <= was * TOLERANCE) return [];
    return [
      `${prefix}${name}: ${count(is)} gas, but ${count(was)} in bench/gas.json: run npm run gas if that is meant`,
    ];
  });
}
