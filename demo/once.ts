/** `--once`: until every meter has settled twice, then the forgeries, then the result. */
import { setTimeout as delay } from "node:timers/promises";
import { conspire, PLOTS, restore } from "./conspiracy.ts";
import { FORGERIES } from "./forgeries.ts";
import { askHistory, type History } from "./history.ts";
import type { GraphNode } from "./indexer/index.ts";
import { jsonOf, kwh, type Tried, tableOf, UNITS_PER_MWH } from "./report.ts";
import type { Roof } from "./roof.ts";
import { createTally, mintedAt, type Tally } from "./tally.ts";
import type { World } from "./world.ts";

const SETTLEMENTS = 2;

/** Prints the result. Returns whether every meter settled twice, every forgery was refused and the supply is right. */
export async function runOnce(
  world: World,
  { json, say }: { json: boolean; say: (stage: string) => void },
): Promise<boolean> {
  const look = createTally(world);
  say("the meters live; waiting until each has settled twice");
  world.run();
  let tally = await look();
  for (let told = 0; !hasSettled(tally) && !world.isOver(); tally = await look()) {
    if (tally.settlements > told) say(progressOf(world, tally));
    told = tally.settlements;
    await delay(200);
  }
  say("every meter has settled twice; trying to forge");
  const tried = await world.still(() => tryAll(world));
  const minted = await mintedAt(world, tally.block);
  const history = world.indexer && (await askSubgraph(world, world.indexer, say));
  const result = { tally, minted, tried, history };
  console.log(json ? jsonOf(world, result) : tableOf(world, result));

  const after = await look();
  const refused = tried.every(({ attempt }) => attempt.rule !== undefined);
  const agrees = history?.agrees ?? true;
  return hasSettled(tally) && refused && agrees && (await isMinted(world, tally)) && (await isMinted(world, after));
}

function askSubgraph(world: World, indexer: GraphNode, say: (stage: string) => void): Promise<History> {
  say("asking the subgraph");
  return world.still(() => askHistory(world, indexer));
}

/** What was minted is what was produced, to the last unit. */
async function isMinted(world: World, { meters, block }: Tally): Promise<boolean> {
  const produced = [...meters.values()].reduce((total, meter) => total + meter.produced, 0n);
  return (await mintedAt(world, block)) === produced * UNITS_PER_MWH;
}

const hasSettled = ({ meters }: Tally): boolean =>
  [...meters.values()].every(({ settlements }) => settlements >= SETTLEMENTS);

function progressOf({ roofs }: World, { settlements, meters }: Tally): string {
  const produced = [...meters.values()].reduce((total, meter) => total + meter.produced, 0n);
  const readings = roofs.reduce((total, { device }) => total + device.size, 0);
  return `${readings} readings, ${settlements} settlements, ${kwh(produced)} kWh minted`;
}

/** Every forgery on the sunniest roof, then the plots of the DON with an operator. */
async function tryAll(world: World): Promise<Tried[]> {
  const roof = [...world.roofs].sort((a, b) => Number(b.device.energy - a.device.energy))[0] as Roof;
  const tried: Tried[] = [];
  for (const { title, attempt } of FORGERIES) tried.push({ title, attempt: await attempt(world, roof) });
  for (const plot of PLOTS) {
    const { attested, attempt, isMinted } = await conspire(world, roof, plot);
    if (!attested) throw new Error("the lying DON did not attest");
    tried.push({ title: plot.title, attempt: isMinted ? { ...attempt, rule: undefined } : attempt });
  }
  restore(world);
  return tried;
}
