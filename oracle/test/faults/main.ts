/**
 * Does to an oracle what happens to one in years: `npm run faults [-- --rounds N]`. Each scenario stands on contracts on a
 * real chain (anvil), an oracle in a process of its own and meters that know what was acknowledged. After each fault all of
 * that is there, and it settles, once. The first that is not so ends it with 1.
 */
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { createEnding, createStops } from "../../../demo/processes/stop.ts";
import { createServer } from "../store/postgres/server.ts";
import { crashDatabase, killLeader, startTwo } from "./scenarios/database.ts";
import { diskScene, fillAndMakeRoom, startOnFull, whyNoDisk } from "./scenarios/disk.ts";
import { amongStrangers, type Latencies } from "./scenarios/hostility.ts";
import { assertWhole, killAt, killingScene, killUnderLoad, momentsOf } from "./scenarios/killing.ts";
import { DEEPEST, FAULTS, misbehave, nodesScene, reorganise } from "./scenarios/nodes.ts";
import { below, type Random, randomOf } from "./scene/random.ts";
import { createScene, type Scene, whyNoScene } from "./scene/scene.ts";

const HELP = `What an oracle has, and what it settled, after all that can go wrong.

  npm run faults                one round, in about ten minutes on two cores

  --rounds N      so many rounds (1)
  --seed N        other moments, depths and waits (1)
  --only NAME     killing, disk, nodes, reorganisations, database or strangers alone
  --json          the figures as one JSON object on the last line, too
  --help          this text`;

/** Ends at random under load, reorganisations, and crashes of the database in a round. */
const [KILLS, REORGANISATIONS, CRASHES] = [10, 4, 5];
const SILENT = 10_000;

const stops = createStops();
const ending = createEnding(stops);
const began = performance.now();
const say = (what: string) =>
  console.error(`${((performance.now() - began) / 1000).toFixed(1).padStart(7)} s  ${what}`);

type Figures = Record<string, unknown>;

/** A scene for as long as `act` takes, or until everything is stopped. */
async function on<T extends { close(): Promise<void> }>(open: () => Promise<T>, act: (scene: T) => Promise<Figures>) {
  const scene = await open();
  stops.add(() => scene.close());
  try {
    return await act(scene);
  } finally {
    await scene.close();
  }
}

/** Of these moments those that come in no life, not even a first one, on a scene of its own. */
async function neverCome(moments: readonly string[]): Promise<string[]> {
  const never: string[] = [];
  for (const moment of moments) {
    await on(killingScene, async (scene) => {
      if (await killAt(scene, moment)) say(`killed ${moment}, in a first life`);
      else never.push(moment);
      await assertWhole(scene);
      return {};
    });
  }
  return never;
}

const killing = (random: Random) =>
  on(killingScene, async (scene) => {
    const moments = [...(await momentsOf(scene))];
    const missed: string[] = [];
    for (const [name, count] of moments) {
      const moment = `${name}/${below(random, count)}`;
      // what comes seldom may not come so often again
      if (!(await killAt(scene, moment)) && !(await killAt(scene, name))) missed.push(name);
      say(`killed ${moment}`);
    }
    await assertWhole(scene);
    const { posts } = await killUnderLoad(scene, random, KILLS);
    await assertWhole(scene);
    return {
      moments: moments.length,
      missed: await neverCome(missed),
      kills_under_load: KILLS,
      posts_under_load: posts,
    };
  });

const disk = async () => {
  const why = whyNoDisk();
  if (why !== undefined) return { left_out: why };
  return on(diskScene, async (full) => {
    await startOnFull(full);
    return fillAndMakeRoom(full);
  });
};

const nodes = () =>
  on(nodesScene, async (scene) => {
    const node = await scene.start();
    for (const fault of FAULTS) {
      await misbehave(scene, node, fault);
      say(`the node ${fault.name}`);
    }
    return { faults: FAULTS.length };
  });

const reorganisations = (random: Random) =>
  on(nodesScene, async (scene) => {
    const node = await scene.start();
    const depths = [1, DEEPEST, ...Array.from({ length: REORGANISATIONS - 2 }, () => 2 + below(random, DEEPEST - 2))];
    for (const depth of depths) {
      await reorganise(scene, node, depth);
      say(`took ${depth} blocks back`);
    }
    return { depths };
  });

const withMeters = (count: number) => async (): Promise<Scene> => {
  const scene = await createScene();
  for (let i = 0; i < count; i++) await scene.addMeter();
  return scene;
};

const database = (random: Random) =>
  on(withMeters(3), async (scene) => {
    const server = await createServer();
    stops.add(() => server.remove());
    try {
      const { url, nodes: two } = await startTwo(scene, server);
      const takeover_s = await killLeader(scene, two, random);
      const third = await scene.start({ settings: { WATTWITNESS_DATABASE_URL: url } });
      const posts = await crashDatabase(scene, server, [two[1], third], random, CRASHES);
      return { takeover_s, crashes: CRASHES, posts };
    } finally {
      await server.remove();
    }
  });

const strangers = () => on(withMeters(1), async (scene) => amongStrangers(scene, await scene.start(), SILENT));

const SCENARIOS: Record<string, (random: Random) => Promise<Figures>> = {
  ...{ killing, disk, nodes, reorganisations, database, strangers },
};

function optionsOf(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string", default: "1" },
      seed: { type: "string", default: "1" },
      only: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const [rounds, seed] = [Number(values.rounds), Number(values.seed)];
  if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error("--rounds is a whole number from 1 on");
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error("--seed is a whole number from 0 on");
  if (values.only !== undefined && !Object.hasOwn(SCENARIOS, values.only)) {
    throw new Error(`--only is one of ${Object.keys(SCENARIOS).join(", ")}`);
  }
  return { ...values, rounds, seed };
}

async function main(): Promise<void> {
  const { rounds, seed, only, json, help } = optionsOf(process.argv.slice(2));
  if (help) return console.log(HELP);
  const why = whyNoScene();
  if (why !== undefined) return console.log(why);
  const table = new Table({ head: ["round", "scenario", "s", "figures"], style: { head: [], border: [] } });
  const all: Figures[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const [name, scenario] of Object.entries(SCENARIOS)) {
      if (only !== undefined && only !== name) continue;
      say(`round ${round}: ${name}`);
      const start = performance.now();
      const figures = await scenario(randomOf(seed + 1000 * round)).catch((error) => {
        throw new Error(`${name}, round ${round} of seed ${seed}: ${error.stack}`);
      });
      const seconds = Math.round((performance.now() - start) / 1000);
      all.push({ round, scenario: name, seconds, ...figures });
      table.push([round, name, seconds, Object.entries(figures).map(shown).join("\n")]);
    }
  }
  console.log(table.toString());
  if (json) console.log(JSON.stringify({ seed, rounds: all }));
}

function shown([name, value]: [string, unknown]): string {
  const isLatency = typeof value === "object" && value !== null && "p50_ms" in value;
  if (!isLatency) return `${name}: ${Array.isArray(value) ? value.join(", ") || "none" : value}`;
  const { p50_ms, p99_ms } = value as Latencies;
  return `${name}: half within ${p50_ms.toFixed(1)} ms, 99 % within ${p99_ms.toFixed(1)} ms`;
}

try {
  await main();
  await ending.end(0);
} catch (error) {
  if (!ending.hasBegun()) console.error((error as Error).message);
  await ending.end(1);
}
