import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type AbiEvent, type Hex, toEventSelector, toFunctionSelector } from "viem";
import { functionsAttestorAbi, meterRegistryAbi, productionTokenAbi, wattWitnessAbi } from "../../../contracts/abi.ts";
import { encodeEquivocation } from "../../../contracts/equivocation.ts";
import { bent, createMeter, dice, segmentOf, type TestMeter } from "../../../contracts/test/fixture.ts";
import { encodeBatch } from "../../../protocol/index.ts";
import { createSystem, createTestMeter, type System } from "../../../test/support.ts";
import { writeEvidence } from "../evidence.ts";
import { createWorld, storiesOf, TOLD_OTHERWISE, type World } from "./world.ts";

const SECOND = fileURLToPath(new URL("..", import.meta.url));
/** 2026-03-20T09:00:00Z */
const JOURNEY = 1_773_997_200;
/** bytes before the first reading of a batch whose first segment has no frontier */
const HEADER = 38 + 84;
/** n of P-256 */
const ORDER = 0xffff_ffff_0000_0000_ffff_ffff_ffff_ffff_bce6_faad_a717_9e84_f3b9_cac2_fc63_2551n;

const ABIS = { registry: meterRegistryAbi, watt_witness: wattWitnessAbi, token: productionTokenAbi };
/** Fields that nothing depends on which logs and readings show. */
const UNSEEN = new Set([
  ...["Attested attestor", "MeterDecommissioned by", "Retired beneficiary"],
  // as words of the data: where the strings begin, their lengths and letters
  ...["Retired name", "Retired purpose", "Retired undefined"],
  // what lost a race, and what came after all settlements
  ...["Skipped reason", "Skipped epoch", "Skipped size"],
  ...["epoch", "firstSize", "firstReading", "firstRoot", "secondSize", "secondReading", "secondRoot"].map(
    (field) => `Equivocated ${field}`,
  ),
]);
/**
 * Words of 32 bytes, from a byte on, that are read of a call: of a settlement the signature, since all else is in events and batches;
 * of a rotation all but the meter and the key before, which are the chain's.
 */
const SIGNED: Record<string, { from: number; words: number }> = {
  settle: { from: 4 + 32 * 10, words: 2 },
  register: { from: 4, words: 12 },
  rotate: { from: 4 + 32, words: 8 },
  proveEquivocation: { from: 4 + 32, words: 14 },
};
const ABIS_OF_CALLS = [...meterRegistryAbi, ...wattWitnessAbi].filter((item) => item.type === "function");
/** Events that change nothing that is settled after them. */
const LAST = ["MeterDecommissioned", "Skipped", "Equivocated"];

/** A field with its lowest bit turned, or of that value, in the event of that place among those of its name: the rule. */
const CONTRADICTIONS: [rule: string, event: string, which: number, field: string, value?: bigint][] = [
  ["unknown key", "PayoutChanged", 0, "meter"],
  ["terms", "MeterRegistered", 0, "capacity", 0n],
  ["source", "MeterRegistered", 0, "source"],
  ["previous key", "KeyRotated", 0, "previousKeyId"],
  ["key interval", "Ended", 0, "until"],
  ["ended", "Ended", 0, "status"],
  ["registration", "MeterRegistered", 0, "details"],
  ["baseline", "Begun", 0, "size", 0n],
  ["baseline", "Begun", 0, "energy"],
  ["segment gap", "Begun", 1, "size", 2n],
  ["earlier reading", "Begun", 0, "energy"],
  ["log inconsistent", "Begun", 0, "root"],
  ["reading 0", "LogBegun", 0, "timestamp"],
  ["log begun", "LogBegun", 0, "epoch"],
  ["other meter", "Settled", 0, "meter"],
  ["payee", "Settled", 0, "payee"],
  ["size does not join", "Settled", 0, "fromSize"],
  ["size not forward", "Settled", 0, "size", 1n],
  ["epoch too far", "Settled", 6, "epoch", 1000n],
  ["time not forward", "Settled", 0, "timestamp", 1n],
  ["energy backward", "Settled", 2, "energy", 0n],
  ["beyond capacity", "Settled", 0, "energy", 10n ** 12n],
  ["produced", "Settled", 0, "produced"],
  ["root", "Settled", 0, "root"],
  ["last reading", "Settled", 0, "energy"],
  ["passed", "Settled", 8, "timestamp", 1n],
  ["attestation unknown", "Skipped", 0, "attestation"],
  ["frozen", "Equivocated", 0, "frozen"],
  ["serial", "Retired", 0, "serial"],
  ["burned", "Retired", 0, "amount"],
  ["supply", "Retired", 0, "amount"],
];

type Log = {
  address: Hex;
  topics: Hex[];
  data: Hex;
  blockNumber: Hex;
  logIndex: Hex;
  transactionHash: Hex;
  timestamp: number;
};
type Judgement = { verdict: "verified" | "refuted" | "cannot tell"; rules: string[] };
/** What somebody does to a folder of evidence. */
type Lie = [name: string, change: (folder: string) => Promise<void>];

/** Debian's package is for Debian's own, which need not be the first. */
const PYTHON = ["python3", "/usr/bin/python3"].find(
  (each) => spawnSync(each, ["-c", "import cryptography"]).status === 0,
);
const python = (args: string[], input = "") =>
  spawnSync(PYTHON ?? "python3", ["-B", ...args], { cwd: SECOND, encoding: "utf8", input, maxBuffer: 2 ** 26 });

const digestOf = (bytes: Uint8Array): string => `0x${createHash("sha256").update(bytes).digest("hex")}`;
const batchesOf = async (folder: string) => (await readdir(join(folder, "batches"))).sort();

/** The batch as something else, under the name that it has then. */
async function rewrite(folder: string, name: string, change: (bytes: Buffer) => void): Promise<void> {
  const bytes = await readFile(join(folder, "batches", name));
  change(bytes);
  await rm(join(folder, "batches", name));
  await writeFile(join(folder, "batches", digestOf(bytes)), bytes);
}

const flip = (bytes: Buffer, bit: number): void => {
  bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
};

const linesOf = async <Line>(folder: string, file: string): Promise<Line[]> =>
  (await readFile(join(folder, file), "utf8"))
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

async function withLines<Line>(folder: string, file: string, change: (lines: Line[]) => Line[]): Promise<void> {
  const lines = change(await linesOf<Line>(folder, file));
  await writeFile(join(folder, file), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}

const SETTLE = toFunctionSelector(
  wattWitnessAbi.find((item) => item.type === "function" && item.name === "settle") as never,
);

describe("the second pair of eyes over a journey", function () {
  this.timeout(120_000);
  let system: System;
  let folder: string;
  before(async function () {
    if (!PYTHON) return this.skip();
    folder = await mkdtemp(join(tmpdir(), "wattwitness-second-journey-"));
    system = await createSystem(JOURNEY);
  });
  after(async () => {
    await system?.close();
    if (folder) await rm(folder, { recursive: true });
  });

  it("comes to what was minted, from what oracle and DON left, and names the batch that it misses", async () => {
    const { app, chain, onWattWitness } = system;
    const meter = createTestMeter(system, { powerAt: () => 3_000_000n, start: JOURNEY });
    meter.advance(JOURNEY + 60);
    await system.register(meter.device);
    for (const hour of [1, 2, 3]) {
      if (hour === 3) meter.device.loseRegister();
      meter.advance(JOURNEY + hour * 3600);
      await system.upload(meter.device);
      await system.settled(meter.device);
    }
    const { publicClient: client } = chain;
    const toBlock = await client.getBlockNumber();
    const asked = await client.getContractEvents({
      ...{ address: system.attestor, abi: functionsAttestorAbi, eventName: "AttestationRequested" },
      ...{ fromBlock: 0n, strict: true },
    } as const);
    const digests = asked.map(({ args }) => args.digest);
    const batches = await Promise.all(
      digests.map(async (digest) => (await app.inject(`/batches/${digest}`)).rawPayload),
    );
    await writeEvidence(folder, { client, registry: system.deployment.registry, fromBlock: 0n, toBlock, batches });

    const whole = JSON.parse(python(["audit.py", folder]).stdout);
    assert.deepEqual(whole.findings, []);
    assert.equal(whole.verdict, "verified");
    assert.equal(whole.supply_units, String(await system.supply()));
    const settled = await client.getContractEvents({ ...onWattWitness, eventName: "Settled", fromBlock: 0n });
    assert.equal(whole.settlements, settled.length);
    assert.ok(settled.length >= 3 && digests.length >= 3);

    await rm(join(folder, "batches", digests[0] as string));
    const { status, stdout } = python(["audit.py", folder]);
    assert.equal(status, 2);
    assert.match(stdout, new RegExp(`"missing"[\\s\\S]*batch ${digests[0]} of attestation`));
  });
});

describe("the second pair of eyes", function () {
  this.timeout(180_000);
  let world: World;
  let folder: string;
  let evidence: string;
  let logs: Log[];
  let names: string[];

  before(async function () {
    if (!PYTHON) {
      console.log("    skipped: there is no python3 with cryptography (Debian: python3-cryptography)");
      return this.skip();
    }
    world = await createWorld();
    folder = await mkdtemp(join(tmpdir(), "wattwitness-second-"));
    evidence = join(folder, "evidence");
    const { publicClient: client, deployment, batches } = world;
    const toBlock = await client.getBlockNumber();
    await writeEvidence(evidence, { client, registry: deployment.registry, fromBlock: 0n, toBlock, batches });
    logs = await linesOf(evidence, "logs.ndjson");
    names = await batchesOf(evidence);
  });
  after(async () => {
    if (folder) await rm(folder, { recursive: true });
  });

  /** What the verifier says of the evidence after each of these lies, by name. */
  async function judge(lies: Lie[]): Promise<Map<string, Judgement>> {
    const folders: string[] = [];
    for (const [, change] of lies) {
      const copy = join(folder, `lie-${folders.length}`);
      await cp(evidence, copy, { recursive: true });
      await change(copy);
      folders.push(copy);
    }
    const { stdout, stderr } = python(["test/judge.py"], folders.map((each) => `${each}\n`).join(""));
    await Promise.all(folders.map((each) => rm(each, { recursive: true })));
    const answers = stdout.trim().split("\n");
    assert.equal(answers.length, lies.length, stderr);
    return new Map(lies.map(([name], i) => [name, JSON.parse(answers[i] as string)]));
  }

  const change = (change: (lines: Log[]) => Log[]) => (copy: string) => withLines(copy, "logs.ndjson", change);
  const eventOf = ({ address, topics }: Log): AbiEvent | undefined => {
    const { registry, wattWitness, token } = world.deployment;
    const abi = { [registry]: meterRegistryAbi, [wattWitness]: wattWitnessAbi, [token]: productionTokenAbi };
    const [, items] = Object.entries(abi).find(([each]) => each.toLowerCase() === address.toLowerCase()) ?? [];
    return items?.find((item) => item.type === "event" && toEventSelector(item) === topics[0]) as AbiEvent | undefined;
  };
  const isOf = (name: string) => (log: Log) => eventOf(log)?.name === name;
  /** Events that say something of readings or tokens. */
  const telling = () => {
    const { EVENTS } = JSON.parse(python(["-c", TABLE]).stdout);
    const topics = new Set(Object.values(EVENTS as Record<string, object>).flatMap(Object.keys));
    return logs.map((log, at) => ({ log, at })).filter(({ log }) => topics.has(log.topics[0] as Hex));
  };
  /** The fields of an event, and what it is with another value of one. */
  const fieldsOf = (log: Log) => {
    const { name, inputs } = eventOf(log) as AbiEvent;
    const named = (indexed: boolean, i: number) =>
      `${name} ${inputs.filter((input) => Boolean(input.indexed) === indexed)[i]?.name}`;
    const words: string[] = log.data.slice(2).match(/.{64}/g) ?? [];
    return [
      ...log.topics.slice(1).map((topic, i) => ({
        ...{ field: named(true, i), word: topic.slice(2) },
        as: (value: bigint): Log => ({ ...log, topics: log.topics.with(i + 1, `0x${wordOf(value)}`) }),
      })),
      ...words.map((word, i) => ({
        ...{ field: named(false, i), word },
        as: (value: bigint): Log => ({ ...log, data: `0x${words.with(i, wordOf(value)).join("")}` }),
      })),
    ];
  };
  const withField = (log: Log, field: string, value?: bigint): Log => {
    const found = fieldsOf(log).find((each) => each.field === field);
    assert.ok(found, field);
    return found.as(value ?? BigInt(`0x${found.word}`) ^ 1n);
  };
  /** Whether tokens go from one holder to another. */
  const isPassedOn = (log: Log) =>
    eventOf(log)?.inputs.some(({ name }) => name === "value") &&
    !/^0x0+$/.test(log.topics[1] as Hex) &&
    !/^0x0+$/.test(log.topics[2] as Hex);

  async function refutes(lies: Record<string, [rule: string, change: Lie[1]]>): Promise<void> {
    const judged = await judge(Object.entries(lies).map(([name, [, change]]): Lie => [name, change]));
    for (const [name, { verdict, rules }] of judged) {
      assert.equal(verdict, "refuted", name);
      assert.ok(rules.includes(lies[name]?.[0] as string), `${name}: ${rules.join(", ")}`);
    }
  }

  const TABLE =
    "import json, events; print(json.dumps({'EVENTS': events.EVENTS, 'HARMLESS': list(events.HARMLESS), 'SETTLE': events.SETTLE}))";

  it("knows every event of the contracts by its name and its types", async () => {
    const { EVENTS, HARMLESS, SETTLE } = JSON.parse(python(["-c", TABLE]).stdout);
    const written = (event: AbiEvent) => {
      const fields = (indexed: boolean) =>
        event.inputs.filter((input) => Boolean(input.indexed) === indexed).map(({ type }) => type);
      return `${event.name}(${fields(true)}|${fields(false)})`;
    };
    const said = (signature: string) => signature.replaceAll(/(\w+) \w+/g, "$1").replaceAll(" ", "");
    for (const [contract, abi] of Object.entries(ABIS)) {
      for (const event of abi.filter((item) => item.type === "event")) {
        const topic = toEventSelector(event);
        const known = EVENTS[contract][topic];
        if (known) assert.equal(said(known), written(event));
        else assert.ok(HARMLESS.includes(topic), `${contract}: ${event.name}`);
      }
    }
    const request = functionsAttestorAbi.find((item) => item.type === "event" && item.name === "AttestationRequested");
    assert.equal(said(EVENTS.attestor[toEventSelector(request as AbiEvent)]), written(request as AbiEvent));
    const settle = wattWitnessAbi.find((item) => item.type === "function" && item.name === "settle");
    assert.equal(`0x${SETTLE}`, toFunctionSelector(settle as never));
    const confirmed = functionsAttestorAbi.find(
      (item) => item.type === "event" && item.name === "AttestationConfirmed",
    ) as AbiEvent;
    assert.equal(said(EVENTS.attestor[toEventSelector(confirmed)]), written(confirmed));
    const { CALLS } = JSON.parse(python(["-c", "import json, sent; print(json.dumps({'CALLS': sent.CALLS}))"]).stdout);
    for (const [name, selector] of Object.entries(CALLS)) {
      const call = [...meterRegistryAbi, ...wattWitnessAbi].find(
        (item) => item.type === "function" && item.name === name,
      );
      assert.equal(`0x${selector}`, toFunctionSelector(call as never), name);
    }
    const { VIEWS } = JSON.parse(
      python(["-c", "import json, events; print(json.dumps({'VIEWS': events.VIEWS}))"]).stdout,
    );
    for (const [name, selector] of Object.entries(VIEWS)) {
      const view = [...productionTokenAbi, ...wattWitnessAbi].find(
        (item) => item.type === "function" && item.name === name,
      );
      assert.equal(`0x${selector}`, toFunctionSelector(view as never), name);
    }
    const source = await readFile(join(SECOND, "events.py"), "utf8");
    const comments = [...source.matchAll(/"(0x[0-9a-f]{64})", {2}# (.+)/g)];
    assert.equal(comments.length, HARMLESS.length);
    for (const [, topic, signature] of comments) assert.equal(toEventSelector(signature as string), topic);
  });

  it("comes to the contracts' own figures", async () => {
    const { publicClient, token, registryView, deployment } = world;
    const { status, stdout } = python(["audit.py", evidence]);
    const { findings, ...figures } = JSON.parse(stdout);
    assert.deepEqual(findings, []);
    const produced = await Promise.all(
      world.meters.map(async (meter) => {
        const { produced } = (await registryView("meterOf", meter)) as { produced: bigint };
        return produced;
      }),
    );
    const retired = await publicClient.readContract({ ...token, functionName: "totalRetired" });
    const supply = await world.supply();
    const settled = (await world.eventsOf("Settled")) as { size: bigint; fromSize: bigint }[];
    assert.deepEqual(figures, {
      verdict: "verified",
      meters: world.meters.length,
      settlements: settled.length,
      readings: settled.reduce((sum, { size, fromSize }) => sum + Number(size - fromSize), 0),
      produced_mwh: String(produced.reduce((sum, each) => sum + each)),
      minted_units: String(supply + retired),
      supply_units: String(supply),
      retired_units: String(retired),
    });
    assert.ok(settled.length > 10 && retired > 0n && deployment.registry);
    assert.equal(status, 0);
  });

  it("exits with 2 and says how it is called, or what it cannot read", () => {
    assert.equal(python(["audit.py"]).status, 2);
    const { status, stdout } = python(["audit.py", join(folder, "nowhere")]);
    assert.equal(status, 2);
    assert.match(stdout, /"cannot tell"[\s\S]*chain\.json/);
  });

  it("cannot tell from a chain that says nothing", async () => {
    const judged = await judge([["nothing", change(() => [])]]);
    assert.deepEqual(
      [...judged.values()].map(({ verdict }) => verdict),
      ["cannot tell"],
    );
  });

  it("cannot tell from a chain of which the first logs are left out, however many", async () => {
    const named = logs.findIndex(isOf("WattWitnessNamed"));
    const lies = logs.slice(named, -1).map((_, i): Lie => [`${i + 1}`, change((lines) => lines.slice(named + i + 1))]);
    for (const [name, { verdict, rules }] of await judge(lies)) {
      assert.deepEqual([verdict, ...rules], ["cannot tell", "missing"], name);
    }
  });

  it("refutes a batch by itself that breaks a rule, is of an unknown key, or tells another story than the settled one", async () => {
    const shown = join(folder, "shown");
    const told = async (bytes: Uint8Array) => {
      await writeFile(shown, bytes);
      const { status, stdout } = python(["audit.py", evidence, shown]);
      return [status, ...JSON.parse(stdout).findings.map(({ rule }: { rule: string }) => rule)];
    };
    const { roof, place } = world;
    const batch = (meter: TestMeter, to: number) =>
      encodeBatch({ domain: meter.headDomain, segments: [segmentOf({ meter, to, settled: 0 })] });
    const [seed] = roof.privateKey as unknown as [number];
    const other = roof.readingsOf().map((each, i) => (i === 5 ? bent(each, { power: 1n }) : each));
    assert.deepEqual(await told(batch(createMeter(place, 99), 100)), [1, "unknown key"]);
    assert.deepEqual(await told(batch(createMeter(place, seed, other), 250)), [1, "root"]);
    const honest = Buffer.from(batch(roof, 250));
    flip(honest, 8 * (honest.length - 40));
    assert.deepEqual(await told(honest), [1, "bad signature"]);
    assert.deepEqual(await told(batch(roof, 250)), [0]);
    assert.equal(python(["audit.py", evidence, join(folder, "none")]).status, 2);
  });

  it("refutes where any one view says something else, and cannot tell without any one", async () => {
    type View = { data: Hex; answer: Hex };
    const views = await linesOf<View>(evidence, "views.ndjson");
    assert.ok(views.length > 10);
    const bend = ({ data, answer }: View): View => ({
      ...{ data, answer: `0x${wordOf(BigInt(answer.slice(0, 66)) ^ 1n)}${answer.slice(66)}` },
    });
    const at = (i: number, change: (lines: View[]) => View[]): Lie => [
      `${i}`,
      (copy) => withLines<View>(copy, "views.ndjson", change),
    ];
    const bent = await judge(views.map((view, i) => at(i, (lines) => lines.with(i, bend(view)))));
    for (const { verdict, rules } of bent.values()) assert.deepEqual([verdict, ...rules], ["refuted", "view"]);
    const gone = await judge(views.map((_, i) => at(i, (lines) => lines.toSpliced(i, 1))));
    for (const { verdict, rules } of gone.values()) assert.deepEqual([verdict, ...rules], ["cannot tell", "missing"]);
  });

  it("refutes where another node has other logs or another block, and cannot tell where it is much newer", async () => {
    const chain = JSON.parse(await readFile(join(evidence, "chain.json"), "utf8"));
    const { block, block_hash } = chain;
    const beside =
      (second: object, change = (lines: Log[]) => lines) =>
      async (copy: string) => {
        await cp(join(copy, "logs.ndjson"), join(copy, "second.ndjson"));
        await withLines(copy, "second.ndjson", change);
        await withChain(copy, { newest: block, second: { block_hash, newest: block, ...second } });
      };
    const judged = await judge([
      ["the same", beside({})],
      ["another block", beside({ block_hash: `0x${"12".repeat(32)}` })],
      ["a log less", beside({}, (lines) => lines.slice(0, -1))],
      ["a log that differs", beside({}, (lines) => lines.with(3, lines[4] as Log))],
      ["much newer", beside({ newest: block + 21 })],
    ]);
    assert.deepEqual(
      [...judged.values()].map(({ verdict, rules }) => [verdict, ...rules]),
      [
        ["verified"],
        ["refuted", "the two nodes disagree"],
        ["refuted", "the two nodes disagree"],
        ["refuted", "the two nodes disagree"],
        ["cannot tell", "missing"],
      ],
    );
  });

  it("exits with 1 where something is refuted", async () => {
    const copy = join(folder, "refuted");
    await cp(evidence, copy, { recursive: true });
    await withLines<Log>(copy, "logs.ndjson", (lines) => lines.filter((log) => !isOf("Attested")(log)));
    assert.equal(python(["audit.py", copy]).status, 1);
  });

  it("cannot tell without any one of the batches", async () => {
    const lies = names.map((name): Lie => [name, (copy) => rm(join(copy, "batches", name))]);
    for (const [name, { verdict, rules }] of await judge(lies)) {
      assert.equal(verdict, "cannot tell", name);
      assert.deepEqual(new Set(rules), new Set(["missing"]), name);
    }
  });

  it("cannot tell without the transaction that alone has a signature, nor where another contract was called", async () => {
    type Transaction = { to: Hex };
    const transactions = (change: (lines: Transaction[]) => Transaction[]) => (copy: string) =>
      withLines(copy, "transactions.ndjson", change);
    const judged = await judge([
      ["none", transactions(() => [])],
      ["to another", transactions((lines) => lines.map((line) => ({ ...line, to: world.deployment.registry })))],
    ]);
    for (const [name, { verdict }] of judged) assert.equal(verdict, "cannot tell", name);
  });

  it("cannot tell, or refutes, without any one of the events", async () => {
    const lies = telling()
      .filter(({ log }) => !LAST.includes(eventOf(log)?.name as string))
      .map(({ log, at }): Lie => [`${at} ${eventOf(log)?.name}`, change((lines) => lines.toSpliced(at, 1))]);
    assert.ok(lies.length > 40);
    for (const [name, { verdict }] of await judge(lies)) assert.notEqual(verdict, "verified", name);
  });

  it("notices one bit in any field of any event, but of those that nothing here depends on", async () => {
    const lies: Lie[] = [];
    for (const { log, at } of telling()) {
      for (const { field, word, as } of fieldsOf(log)) {
        if (UNSEEN.has(field) || (field === "Transfer value" && isPassedOn(log))) continue;
        lies.push([`${at} ${field}`, change((lines) => lines.with(at, as(BigInt(`0x${word}`) ^ 1n)))]);
      }
    }
    assert.ok(lies.length > 250, String(lies.length));
    for (const [name, { verdict }] of await judge(lies)) assert.notEqual(verdict, "verified", name);
  });

  it("refutes what somebody made up, each by its rule", async () => {
    const [head, tail] = [logs.slice(0, -1), logs.at(-1) as Log];
    const next = (log: Log, i = 1): Log => ({
      ...{ ...tail, address: log.address, topics: log.topics, data: log.data },
      logIndex: `0x${(Number(tail.logIndex) + i).toString(16)}`,
    });
    const at = logs.findLastIndex(isOf("Settled"));
    const [mint, settled] = [logs[at - 1] as Log, logs[at] as Log];
    const first = (name: string) => next(logs.find(isOf(name)) as Log);
    const over = logs.findLast((log) => isOf("Settled")(log) && log.topics[1] !== log.topics[2]) as Log;
    const strange = mint.topics[2] as Hex;
    const [one, other] = logs.filter(isOf("MeterRegistered")) as [Log, Log];
    const expected: Record<string, [rule: string, change: Lie[1]]> = {
      "a settlement told twice": ["size does not join", change((all) => [...all, next(mint), next(settled, 2)])],
      "a settlement that mints nothing": ["minted", change((all) => [...all, next(settled)])],
      "a settlement of more readings": [
        "not attested",
        change((all) => all.with(at, withField(settled, "Settled size", 105n))),
      ],
      "a mint of its own": ["mint alone", change((all) => [...all, next(mint)])],
      "a mint to somebody else": [
        "minted",
        change((all) => all.with(at - 1, { ...mint, topics: mint.topics.with(2, mint.topics[1] as Hex) })),
      ],
      "another WattWitness than the registry named": [
        "other contract",
        change((all) =>
          all.map((log) => (isOf("WattWitnessNamed")(log) ? { ...log, topics: log.topics.with(1, strange) } : log)),
        ),
      ],
      "a block with two times": [
        "order",
        change((all) => all.with(at, { ...settled, timestamp: settled.timestamp + 1 })),
      ],
      "a block from before the one before": ["order", change((all) => all.with(-1, { ...tail, timestamp: 1 }))],
      "a reading from the future": [
        "time ahead",
        change((all) => all.map((log) => ({ ...log, timestamp: log.timestamp - 86_400 }))),
      ],
      "a meter registered again": ["key used once", change((all) => [...all, first("MeterRegistered")])],
      "a key that begins again": ["begun", change((all) => [...all, first("Begun")])],
      "a root attested again": ["attested", change((all) => [...all, first("Attested")])],
      "a settlement by a key that is over": ["key not active", change((all) => [...all, next(over)])],
      "the last event first": ["order", change(() => [tail, ...head])],
      "an event twice": ["order", change((all) => [...all, tail])],
      "an event of a stranger": [
        "unknown event",
        change((all) => all.with(-1, { ...tail, address: world.stranger.account.address })),
      ],
      "the keys of two meters exchanged": [
        "key id",
        change((all) =>
          all.map((log) =>
            log.topics[1] === one.topics[1] && log.topics[0] === one.topics[0] ? { ...log, data: other.data } : log,
          ),
        ),
      ],
      "a retirement left out": ["burn alone", change((all) => all.filter((log) => !isOf("Retired")(log)))],
      "another chain": ["wrong domain", (copy) => withChain(copy, { chain_id: 1 })],
      "another registry": ["unknown event", (copy) => withChain(copy, { registry: world.deployment.token })],
    };
    await refutes(expected);
  });

  it("refutes what a field contradicts, by its rule", async () => {
    const expected: Record<string, [rule: string, change: Lie[1]]> = {};
    for (const [rule, event, which, field, value] of CONTRADICTIONS) {
      const at = logs.indexOf(logs.filter(isOf(event))[which] as Log);
      const lie = withField(logs[at] as Log, `${event} ${field}`, value);
      expected[`${rule}: ${field} of ${event} ${which}`] = [rule, change((all) => all.with(at, lie))];
    }
    await refutes(expected);
  });

  it("refutes batches that lie, each by its rule", async () => {
    const whole = await batchOf((bytes) => bytes.readUInt16BE(36) === 1 && bytes.readBigUInt64BE(38 + 68) === 0n);
    const later = await batchOf((bytes) => bytes.readBigUInt64BE(38 + 68) > 0n);
    const reading = (index: number) => HEADER + 32 * index;
    const bend = (name: string, change: (bytes: Buffer) => void) => (copy: string) => rewrite(copy, name, change);
    const lies: Record<string, [rule: string, change: Lie[1]]> = {
      "a bit of a reading's power": ["bad signature", bend(whole, (bytes) => flip(bytes, 8 * (reading(5) + 19)))],
      "a reading's time": ["time not forward", bend(whole, (bytes) => bytes.fill(0, reading(5), reading(5) + 4))],
      "a reading of less energy": [
        "energy backward",
        bend(whole, (bytes) => bytes.fill(0, reading(5) + 4, reading(5) + 12)),
      ],
      "a reading of more energy": [
        "beyond capacity",
        bend(whole, (bytes) => bytes.fill(1, reading(5) + 4, reading(5) + 5)),
      ],
      "a bit of the frontier": ["bad signature", bend(later, (bytes) => flip(bytes, 8 * HEADER))],
      "a bit of the signature": ["bad signature", bend(whole, (bytes) => flip(bytes, 8 * (bytes.length - 40)))],
      "a bit of the key": ["bad key", bend(whole, (bytes) => flip(bytes, 8 * 40))],
      "a bit of the domain": ["wrong domain", bend(whole, (bytes) => flip(bytes, 8 * 10))],
      "a bit of the epoch": ["bad signature", bend(whole, (bytes) => flip(bytes, 8 * (38 + 67)))],
      "no readings": ["size out of range", bend(whole, (bytes) => bytes.fill(0, 38 + 80, 38 + 84))],
      "the signature's other form": ["high s", bend(whole, highS)],
      "a byte more": ["trailing bytes", (copy) => appended(copy, whole)],
    };
    await refutes(lies);
  });

  it("refutes the other form, or another, of a signature that a transaction has", async () => {
    type Transaction = { input: Hex };
    const bend = (from: number, to: number) => (copy: string) =>
      withLines<Transaction>(copy, "transactions.ndjson", (lines) =>
        lines.map((line) => {
          if (!line.input.startsWith(SETTLE)) return line;
          const bytes = Buffer.from(line.input.slice(2), "hex");
          // selector, attestation, offset, count, offset of the item, then key 2, head 4, r, s
          highS(bytes.subarray(from, to));
          return { ...line, input: `0x${bytes.toString("hex")}` };
        }),
      );
    const start = 4 + 32 * 4 + 32 * 6;
    const judged = await judge([["high s", bend(start, start + 64)]]);
    for (const [name, { verdict, rules }] of judged) {
      assert.equal(verdict, "refuted", name);
      assert.deepEqual(new Set(rules), new Set(["signature"]), name);
    }
  });

  it("refutes an equivocation that was sent without what shows it", async () => {
    const honest = storiesOf(world.roof, TOLD_OTHERWISE);
    const [one] = honest.one.proof;
    const sends = (equivocation: typeof honest) => (copy: string) =>
      withLines<{ input: Hex }>(copy, "transactions.ndjson", (lines) =>
        lines.map((line) =>
          line.input === encodeEquivocation(honest) ? { ...line, input: encodeEquivocation(equivocation) } : line,
        ),
      );
    const unproven = { ...honest.one, proof: honest.one.proof.with(0, `0x${wordOf(BigInt(one as Hex) ^ 1n)}`) };
    await refutes({
      "a proof that leads elsewhere": ["equivocation", sends({ ...honest, one: unproven })],
      "a reading that is the same in both": ["equivocation", sends(storiesOf(world.roof, TOLD_OTHERWISE - 1))],
      "readings of two places": [
        "equivocation",
        sends({ ...honest, other: storiesOf(world.roof, TOLD_OTHERWISE + 1).other }),
      ],
    });
  });

  it("cannot tell by the batch of another meter", async () => {
    const lies: Lie[] = names.map((name, i) => [
      name,
      (copy) => cp(join(copy, "batches", names.at(i - 1) as string), join(copy, "batches", name)),
    ]);
    for (const [name, { verdict }] of await judge(lies)) assert.equal(verdict, "cannot tell", name);
  });

  describe("where one bit is turned", () => {
    const SEED = 7;
    const BITS = 700;
    /** What `bits.py` is told, each with the words for who looks why it failed. */
    type Turned = [words: string, line: [file: string, at: number, what: unknown]];

    function noneIsVerified(turned: Turned[]): void {
      const input = turned.map(([, line]) => `${JSON.stringify(line)}\n`).join("");
      const { stdout, stderr } = python(["test/bits.py", evidence], input);
      const verdicts = stdout.trim().split("\n");
      assert.equal(verdicts.length, turned.length, stderr);
      const unseen = turned.filter((_, i) => verdicts[i] === "verified").map(([words]) => words);
      assert.deepEqual(unseen, [], `seed ${SEED}`);
    }

    const turned = (word: string, bit: number) => BigInt(`0x${word}`) ^ (1n << BigInt(bit));

    it("in a batch, whether or not its name is turned with it, verifies nothing", async () => {
      const roll = dice(SEED);
      const sizes = await Promise.all(
        names.map(async (name) => (await readFile(join(evidence, "batches", name))).length),
      );
      noneIsVerified(
        Array.from({ length: BITS }, (_, i) => {
          const which = i % names.length;
          const [name, bit, isNamed] = [names[which] as string, roll(8 * (sizes[which] as number)), roll(2) === 0];
          return [
            `${name}, bit ${bit}, ${isNamed ? "under its new name" : "under its old name"}`,
            [name, bit, isNamed],
          ];
        }),
      );
    });

    it("in an event's topics or data, but of fields that nothing here depends on, verifies nothing", () => {
      const roll = dice(SEED);
      const fields = telling().flatMap(({ log, at }) =>
        fieldsOf(log)
          .filter(({ field }) => !UNSEEN.has(field) && !(field === "Transfer value" && isPassedOn(log)))
          .map((each) => ({ ...each, at })),
      );
      noneIsVerified(
        Array.from({ length: BITS }, () => {
          const { field, word, as, at } = fields[roll(fields.length)] as (typeof fields)[number];
          const bit = roll(256);
          return [`bit ${bit} of ${field}, log ${at}`, ["logs.ndjson", at, as(turned(word, bit))]];
        }),
      );
    });

    it("in what a key signed and was sent verifies nothing", async () => {
      type Transaction = { input: Hex };
      const transactions = await linesOf<Transaction>(evidence, "transactions.ndjson");
      const selectorOf = (name: string) =>
        toFunctionSelector(ABIS_OF_CALLS.find((item) => item.name === name) as never);
      const places = transactions.flatMap((transaction, at) => {
        const call = Object.keys(SIGNED).find((name) => transaction.input.startsWith(selectorOf(name)));
        return call ? [{ transaction, at, call, ...(SIGNED[call] as { from: number; words: number }) }] : [];
      });
      assert.deepEqual(new Set(places.map(({ call }) => call)), new Set(Object.keys(SIGNED)));
      const roll = dice(SEED);
      noneIsVerified(
        Array.from({ length: BITS }, (_, i) => {
          const { transaction, at, call, from, words } = places[i % places.length] as (typeof places)[number];
          const bytes = Buffer.from(transaction.input.slice(2), "hex");
          const bit = 8 * from + roll(256 * words);
          flip(bytes, bit);
          const other = { ...transaction, input: `0x${bytes.toString("hex")}` };
          return [`bit ${bit} of ${call}, transaction ${at}`, ["transactions.ndjson", at, other]];
        }),
      );
    });
  });

  async function batchOf(is: (bytes: Buffer) => boolean): Promise<string> {
    for (const name of names) if (is(await readFile(join(evidence, "batches", name)))) return name;
    throw new Error("there is no such batch");
  }
});

const wordOf = (value: bigint): string => value.toString(16).padStart(64, "0");

/** n - s, at the end. */
function highS(bytes: Buffer): void {
  const s = BigInt(`0x${bytes.subarray(-32).toString("hex")}`);
  bytes.write((ORDER - s).toString(16).padStart(64, "0"), bytes.length - 32, "hex");
}

async function appended(copy: string, name: string): Promise<void> {
  const bytes = Buffer.concat([await readFile(join(copy, "batches", name)), Buffer.of(0)]);
  await rm(join(copy, "batches", name));
  await writeFile(join(copy, "batches", digestOf(bytes)), bytes);
}

async function withChain(copy: string, change: object): Promise<void> {
  const chain = JSON.parse(await readFile(join(copy, "chain.json"), "utf8"));
  await writeFile(join(copy, "chain.json"), JSON.stringify({ ...chain, ...change }));
}
