/**
 * One bit of anything that an audit rests on, turned: it is never verified. In memory, by the functions that an audit calls, so
 * that thousands of bits take seconds. A proof of one reading has such a test in verification/, the second auditor in its folder.
 */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeEventLog, type Hex, toFunctionSelector } from "viem";
import { functionsAttestorAbi, meterRegistryAbi, productionTokenAbi, wattWitnessAbi } from "../../contracts/abi.ts";
import { dice } from "../../contracts/test/fixture.ts";
import type { ChainReader } from "../../verification/chain/reader.ts";
import { compareViews } from "../chain/compare.ts";
import { type ChainEvent, type Contracts, eventIn } from "../chain/events.ts";
import type { History } from "../chain/history.ts";
import { checkReadings } from "../evidence/checking.ts";
import { native } from "../evidence/native.ts";
import { work } from "../evidence/work.ts";
import { type Finding, type Place, type Pool, readCheckpoint, verdictOf, writeCheckpoint } from "../index.ts";
import { checkClaims } from "../replay/claims.ts";
import { checkEquivocations } from "../replay/equivocations.ts";
import { replay } from "../replay/replay.ts";
import { createWorld, SOURCE_HASH, type World } from "./world.ts";

const SEED = 16;
/** Of each kind of input. */
const BITS = 1000;

const TERMS = { unattestedAfter: 0, capacityCeiling: 100_000 };

type Log = { address: Hex; topics: Hex[]; data: Hex; blockNumber: Hex; logIndex: Hex };
type Files = ReadonlyMap<string, Uint8Array>;

/** Nothing rests on these, and not on who took a meter down, or who paid for an attestation: see README.md. */
const UNREAD_FIELDS = ["MeterDecommissioned 2", "AttestationRequested 4"];
const UNREAD = ["MetadataUpdate", "Skipped", "AuthorityUpdated", "RequestSent", "RequestFulfilled"];

/** Works in this thread. */
const pool: Pool = { width: 1, run: (asked) => work(native, asked) as never, close: async () => {} };

const placeIn = (files: Files): Place => ({
  name: "memory",
  get: async (path) => files.get(path)?.slice(),
  list: async (path) =>
    [...files.keys()].flatMap((name) => (name.startsWith(`${path}/`) ? name.slice(path.length + 1) : [])),
});

function flipped<Bytes extends Uint8Array>(bytes: Bytes, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (0x80 >> (bit & 7));
  return copy;
}

const bytesOf = (hex: Hex): Buffer => Buffer.from(hex.slice(2), "hex");
const hexOf = (bytes: Uint8Array): Hex => `0x${Buffer.from(bytes).toString("hex")}`;
const flippedHex = (hex: Hex, bit: number): Hex => hexOf(flipped(bytesOf(hex), bit));

function nameOf({ topics, data }: Log): string {
  for (const abi of [wattWitnessAbi, meterRegistryAbi, productionTokenAbi, functionsAttestorAbi]) {
    try {
      return decodeEventLog({ abi, topics: topics as [Hex], data }).eventName as string;
    } catch {}
  }
  throw new Error(`an event of none: ${topics[0]}`);
}

describe("a bit that is turned", function () {
  this.timeout(300_000);
  let world: World;
  let history: History;
  let files: Map<string, Uint8Array>;
  let logs: Log[];
  before(async () => {
    world = await createWorld();
    files = new Map();
    for (const file of world.files) {
      files.set(file, Uint8Array.from(await readFile(join(world.folder, file))));
    }
    logs = [];
    const collecting: ChainReader = {
      async request(call) {
        const answer = await world.chain.request(call);
        if (call.method === "eth_getLogs") logs.push(...(answer as Log[]));
        return answer;
      },
    };
    const { read } = await world.audit({ chain: collecting });
    assert.ok(read);
    history = { ...read.history, chain: world.chain };
  });
  // what is seen is seen for its bit, and for nothing that another bit left behind
  beforeEach(async () => assert.equal(await isSeen(history), undefined));
  afterEach(async () => assert.equal(await isSeen(history), undefined));
  after(() => world.close());

  /** The first thing that is found, and nothing more. */
  async function isSeen(of: History, has: Files = files): Promise<Finding | undefined> {
    const replayed = replay(of, TERMS);
    const keys = [...replayed.keys.values()].filter(({ logs }) => logs.size > 0);
    const looks: (() => Finding[] | Promise<Finding[]>)[] = [
      () => replayed.findings,
      () => readingsOf(of, has, replayed),
      async () => (await checkClaims(of, keys)).findings,
      () => checkEquivocations(of, replayed),
      () => compareViews(of, replayed, SOURCE_HASH),
    ];
    for (const look of looks) {
      const [finding] = await look();
      if (finding) return finding;
    }
    return undefined;
  }

  const readingsOf = async (of: History, has: Files, replayed = replay(of, TERMS)): Promise<Finding[]> => {
    const { settlements } = replayed;
    return (await checkReadings({ history: of, replayed, settlements, places: [placeIn(has)], pool })).findings;
  };

  it("in a batch or a tile makes it a 2, for a mirror refutes nothing", async () => {
    const roll = dice(SEED);
    const names = [...files.keys()];
    const honest = replay(history, TERMS);
    for (let i = 0; i < BITS; i++) {
      const name = names[i % names.length] as string;
      const bytes = files.get(name) as Uint8Array;
      // of these entries only the readings from 199 on are of a settlement by tiles
      const start = name.endsWith("000.p/250") ? 199 * 34 : 0;
      const bit = 8 * start + roll(8 * (bytes.length - start));
      const found = await readingsOf(history, new Map(files).set(name, flipped(bytes, bit)), honest);
      assert.equal(verdictOf(found), "cannot tell", `seed ${SEED}, bit ${bit} of ${name}: ${JSON.stringify(found)}`);
    }
  });

  it("in an event's topics or data is seen", async () => {
    const roll = dice(SEED);
    const { registry, wattWitness, token } = history.deployment;
    const contracts: Contracts = new Map([
      ...([
        [registry, "registry"],
        [wattWitness, "wattWitness"],
        [token, "token"],
      ] as const),
      ...history.attestors.map((each) => [each, "attestor"] as const),
    ]);
    const telling = logs.filter((log) => !UNREAD.includes(nameOf(log)));
    const unseen: string[] = [];
    for (let i = 0; i < BITS; i++) {
      const log = telling[i % telling.length] as Log;
      const words = [...log.topics, log.data];
      const bit = roll(4 * words.join("").replaceAll("0x", "").length);
      const word = Math.floor(bit / 256);
      if (UNREAD_FIELDS.includes(`${nameOf(log)} ${word}`)) continue;
      const lie =
        word < log.topics.length
          ? { ...log, topics: log.topics.with(word, flippedHex(log.topics[word] as Hex, bit % 256)) }
          : { ...log, data: flippedHex(log.data, bit - 256 * log.topics.length) };
      // of another form than the contracts write: the node's answer is nonsense
      const event = eventIn(lie, contracts);
      if (!event) continue;
      const isIt = ({ block, index }: ChainEvent) => block === event.block && index === event.index;
      const events = history.events.map((each) => (isIt(each) ? event : each));
      if (!(await isSeen({ ...history, events }))) unseen.push(`bit ${bit} of ${nameOf(log)} in ${log.blockNumber}`);
    }
    assert.deepEqual(unseen, [], `seed ${SEED}`);
  });

  it("in what was sent, as far as anything rests on it, is seen", async () => {
    const roll = dice(SEED);
    const sent = await sentWords();
    const unseen: string[] = [];
    for (let i = 0; i < BITS; i++) {
      const { hash, input, from, to, name } = sent[i % sent.length] as Sent;
      const bit = 8 * from + roll(8 * (to - from));
      const chain: ChainReader = {
        async request(call) {
          const answer = await world.chain.request(call);
          const isIt = call.method === "eth_getTransactionByHash" && JSON.stringify(call).includes(hash);
          return isIt ? { ...(answer as object), input: flippedHex(input, bit) } : answer;
        },
      };
      if (!(await isSeen({ ...history, chain }))) unseen.push(`bit ${bit} of ${name}`);
    }
    assert.deepEqual(unseen, [], `seed ${SEED}`);
  });

  type Sent = { name: string; hash: Hex; input: Hex; from: number; to: number };

  /** Where in a transaction there is what its key signed: of settlements that only tiles show, of claims and equivocations. */
  async function sentWords(): Promise<Sent[]> {
    const selectorOf = (name: string) =>
      toFunctionSelector(
        [...meterRegistryAbi, ...wattWitnessAbi].find(
          (item) => item.type === "function" && item.name === name,
        ) as never,
      );
    const PLACES: Record<string, [from: number, words: number][]> = {
      // of the one item, after attestation, offset, count, offset: key 2, epoch, size; the reading is in the tiles; root, signature 2
      settle: [
        [4 + 32 * 4, 4],
        [4 + 32 * 9, 3],
      ],
      register: [[4, 12]],
      rotate: [[4, 13]],
      // after an offset: key 2, head 4, signature 2, head 4, signature 2
      proveEquivocation: [[4 + 32, 14]],
    };
    const found: Sent[] = [];
    for (const { eventName, transaction: hash, args } of history.events) {
      const isAlone = eventName === "Settled" && /^0x0+$/.test(args.attestation);
      if (!isAlone && eventName !== "Begun" && eventName !== "Equivocated") continue;
      const { input } = (await world.chain.request({ method: "eth_getTransactionByHash", params: [hash] })) as Sent;
      for (const [name, places] of Object.entries(PLACES)) {
        if (!input.startsWith(selectorOf(name))) continue;
        for (const [from, words] of places) found.push({ name, hash, input, from, to: from + 32 * words });
      }
    }
    assert.deepEqual(new Set(found.map(({ name }) => name)), new Set(Object.keys(PLACES)));
    return found;
  }

  it("in a checkpoint makes it none", async () => {
    const roll = dice(SEED);
    const folder = await mkdtemp(join(tmpdir(), "wattwitness-bits-"));
    try {
      const file = join(folder, "audit.json");
      const { read } = await world.audit();
      await writeCheckpoint(file, read?.checkpoint as never);
      const bytes = await readFile(file);
      assert.ok(await readCheckpoint(file));
      for (let i = 0; i < BITS; i++) {
        const bit = roll(8 * bytes.length);
        await writeFile(file, flipped(bytes, bit));
        await assert.rejects(readCheckpoint(file), /not as it was left/, `seed ${SEED}, bit ${bit}`);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
