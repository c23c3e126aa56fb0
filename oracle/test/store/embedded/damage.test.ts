import assert from "node:assert/strict";
import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import pino from "pino";
import type { Meter } from "../../../../meter/meter.ts";
import { toHex } from "../../../../protocol/index.ts";
import { createOracle } from "../../../oracle.ts";
import type { Job } from "../../../settling/jobs.ts";
import { openEmbeddedStore } from "../../../store/embedded/store.ts";
import type { Store } from "../../../store/store.ts";
import {
  CAPACITY,
  DEMO_RULES,
  newMeter,
  newWorld,
  OWNER,
  removeDirectories,
  START,
  temporaryDirectory,
  type World,
} from "../../support.ts";

type Damage = (bytes: Buffer) => Buffer;
const flipped =
  (share: number): Damage =>
  (bytes) => {
    const at = Math.min(bytes.length - 1, Math.floor(bytes.length * share));
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] as number) ^ 4;
    return copy;
  };
const DAMAGES: [string, Damage][] = [
  ["empty", () => Buffer.alloc(0)],
  ["halved", (bytes) => bytes.subarray(0, bytes.length / 2)],
  ["torn before its last byte", (bytes) => bytes.subarray(0, -1)],
  ["filled with zeros", (bytes) => Buffer.alloc(bytes.length)],
  ["of one other bit at its beginning", flipped(0)],
  ["of one other bit in its middle", flipped(0.5)],
  ["of one other bit at its end", flipped(1)],
];

describe("a data folder in which any one file is damaged", function () {
  this.timeout(60_000);
  let world: World;
  let meters: Meter[];
  let files: string[];
  beforeEach(async () => {
    world = await newWorld({ confirmations: 1 });
    meters = [await world.newMeter(), await world.newMeter()];
    for (const meter of meters) await world.live(meter, START + 6000);
    for (let i = 0; i < 3; i++) await world.oracle.tick();
    const waiting = newMeter();
    waiting.advance(START + 100);
    const payload = waiting.device.registration({ owner: OWNER, capacity: CAPACITY, details: new Uint8Array(32) });
    await world.app.inject({ method: "POST", url: "/registrations", payload });
    // under way, and not settled
    world.chain.automine = false;
    for (const meter of meters) await world.live(meter, START + 9000);
    await world.oracle.tick();
    await world.app.close();
    await world.oracle.store.close();
    const entries = await readdir(world.directory, { recursive: true, withFileTypes: true });
    files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(world.directory, join(entry.parentPath, entry.name)));
  });
  afterEach(removeDirectories);

  /** All that an oracle on this folder tells, by what it is about; what cannot be told, as the words that it is refused with. */
  async function told(directory: string): Promise<Map<string, string>> {
    const all = new Map<string, string>();
    const say = (what: string, text: string) => all.set(what, text.replaceAll(directory, ""));
    const tell = async (what: string, tells: () => Promise<unknown>) =>
      say(
        what,
        await tells().then(
          (value) => JSON.stringify(value) ?? "nothing",
          (error) => `failed: ${error.message}`,
        ),
      );
    let log = "";
    const write = (line: string) => {
      log += line;
    };
    const logger = pino({ level: "warn" }, { write });
    const opening = await openEmbeddedStore(directory, logger);
    if (!opening.ok) {
      say("start", `failed: ${opening.problem}`);
      return all;
    }
    const { store } = opening;
    await tell("start", () => start(store));
    say("log", log.replaceAll(/"(time|pid)":\d+/g, ""));
    await store.close();
    return all;

    async function start(started: Store): Promise<void> {
      const config = { ...DEMO_RULES, confirmations: 1 };
      const oracle = await createOracle({ config, store: started, chain: world.chain, now: () => world.now, logger });
      await tell("look", () => oracle.tick());
      await tell("meters", async () => oracle.follower.meters());
      await tell("applications", () => oracle.registrations.list());
      const jobs = await started.records<Job>("jobs-finished");
      for (const digest of await jobs.ids()) {
        await tell(`finished ${digest}`, () => jobs.get(digest));
        await tell(`batch ${digest}`, async () => (await started.batches.get(digest))?.length);
      }
      await tell("key", async () => toHex(oracle.noteKey.publicKey));
      for (const [i, { device }] of meters.entries()) {
        const keyId = toHex(device.keyId);
        await tell(`marks ${i}`, () => oracle.follower.marksOf(keyId, 1));
        await tell(`heads ${i}`, async () => (await (await started.logs.get(keyId, 1))?.headsAfter(0))?.length);
        await tell(`readings ${i}`, async () =>
          (await (await started.logs.get(keyId, 1))?.readings(0, 2000))?.map(toHex),
        );
      }
    }
  }

  for (const [how, damage] of DAMAGES) {
    it(`is told, and nothing is invented, where it is ${how}`, async () => {
      const whole = await told(await copied());
      assert.ok(
        whole.size > 10 && ![...whole.values()].some((text) => text.startsWith("failed")),
        JSON.stringify([...whole]),
      );
      const kinds = new Set<string>();
      for (const file of files) {
        const directory = await copied();
        const bytes = await readFile(join(directory, file));
        await writeFile(join(directory, file), damage(bytes));
        kinds.add(file.split("/")[0] as string);
        const now = await told(directory);
        const others = [...now].filter(([what, text]) => text !== whole.get(what));
        const wrong = others.filter(([what, text]) => !text.includes(file) && !isCut(what, text, file));
        assert.deepEqual(wrong, [], `${file} ${how}`);
        if (!now.get("start")?.startsWith("failed")) continue;
        assert.ok(now.get("start")?.includes(file), `${file}: ${now.get("start")}`);
      }
      for (const kind of ["journal", "logs", "jobs", "meters", "marks", "batches", "registrations", "chain.json"]) {
        assert.ok(kinds.has(kind), `there is no ${kind}: ${[...kinds]}`);
      }
    });
  }

  /** What is less where a last group of the journal is cut off, which is said: a part of what was signed, and nothing else. */
  function isCut(what: string, text: string, file: string): boolean {
    if (!file.startsWith("journal/")) return false;
    if (what === "log") return text.includes("cut off");
    const [kind, meter] = what.split(" ");
    if (kind === "heads") return Number(text) >= 0;
    const signed = meters[Number(meter)]?.device.readings.map(toHex);
    return kind === "readings" && JSON.stringify(signed).startsWith(text.slice(0, -1));
  }

  async function copied(): Promise<string> {
    const directory = await temporaryDirectory();
    await cp(world.directory, directory, { recursive: true });
    return directory;
  }
});
