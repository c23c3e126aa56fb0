/** `--once`: until every meter has settled twice or a recording is over, then the forgeries, then the result. */
import { setTimeout as delay } from "node:timers/promises";
import { toHex } from "../protocol/index.ts";
import { type Conspiracy, conspire, PLOTS, restore } from "./attacks/conspiracy.ts";
import { type Attempt, FORGERIES } from "./attacks/forgeries.ts";
import { askHistory, type History } from "./history.ts";
import type { GraphNode } from "./indexer/index.ts";
import type { Roof } from "./roof.ts";
import { createTally, type MeterTally, mintedAt, type Tally } from "./tally.ts";
import { jsonOf, kwh, type Tried, tableOf, UNITS_PER_MWH } from "./terminal/report.ts";
import type { World } from "./world.ts";

const SETTLEMENTS = 2;
/** ms without a settlement, while there is something to settle */
const PATIENCE = 300_000;
/** s of the meters' time in which a night shows that it is one */
const OF_NIGHT = 3600;

/** What a run came to, in a sentence, and whether that is how it should be. */
export type Outcome = { says: string; isGood: boolean };

/** Prints the result. Returns whether that is as it should be: so much was minted, and every forgery was refused. */
export async function runOnce(
  world: World,
  { json, say }: { json: boolean; say: (stage: string) => void },
): Promise<boolean> {
  const look = createTally(world);
  say(`the meters live; waiting until each has settled twice${world.recording ? ", or the recording is over" : ""}`);
  const began = world.now();
  world.run();
  let tally = await look();
  let outcome: Outcome | undefined;
  for (let [told, since] = [0, Date.now()]; !outcome; tally = await look()) {
    if (tally.settlements > told) say(progressOf(world, tally));
    if (tally.settlements > told || unsettled(world, tally) === 0n) since = Date.now();
    told = tally.settlements;
    outcome = outcomeOf(world, tally, { lived: world.now() - began, waited: Date.now() - since });
    if (!outcome) await delay(200);
  }
  const isWorthForging = outcome.isGood && tally.settlements > 0;
  say(`${outcome.says}${isWorthForging ? "; trying to forge" : ""}`);
  const tried = isWorthForging ? await world.still(() => tryAll(world, tally)) : [];
  const minted = await mintedAt(world, tally.block);
  const history = isWorthForging && world.indexer ? await askSubgraph(world, world.indexer, say) : undefined;
  const result = { tally, minted, tried, history, outcome: outcome.says };
  console.log(json ? jsonOf(world, result) : tableOf(world, result));

  const after = await look();
  const wrong = [
    ...(outcome.isGood ? [] : [outcome.says]),
    ...tried.filter(({ attempt }) => attempt.rule === undefined).map(({ title }) => `${title}: nobody refused it`),
    ...(history && !history.agrees ? ["the subgraph says something else than the chain"] : []),
    ...((await isMinted(world, tally)) && (await isMinted(world, after)) ? [] : ["not what was produced was minted"]),
  ];
  for (const what of wrong) say(`not as it should be: ${what}`);
  return wrong.length === 0;
}

/**
 * Undefined while there is something to wait for. `lived`: s of the meters' time; `waited`: ms since something was settled,
 * or there was nothing to settle.
 */
export function outcomeOf(
  world: Pick<World, "whyStopped" | "roofs" | "recording" | "isOver">,
  tally: Pick<Tally, "meters">,
  { lived, waited }: { lived: number; waited: number },
): Outcome | undefined {
  const why = world.whyStopped();
  if (why) return { says: `the clock stopped: ${why}`, isGood: false };
  if (hasSettled(tally)) return { says: "every meter has settled twice", isGood: true };
  const left = unsettled(world, tally);
  if (waited > PATIENCE) {
    return { says: `nothing was settled for ${PATIENCE / 60_000} minutes: ${kwh(left)} kWh wait`, isGood: false };
  }
  const { recording } = world;
  if (recording?.energy === 0n && (world.isOver() || lived > OF_NIGHT)) {
    return { says: "the recording has no production: there is nothing to mint", isGood: true };
  }
  if (recording && world.isOver() && left === 0n) return wholeOf(world, recording.energy);
  return undefined;
}

/** Of a recording that was too short for two settlements. */
function wholeOf({ roofs }: Pick<World, "roofs">, energy: bigint): Outcome {
  const missed = roofs.find(({ device }) => device.energy !== energy);
  if (!missed) return { says: "the recording is over, and all of it is settled", isGood: true };
  const { name, device } = missed;
  return { says: `the recording is over: ${name} has ${kwh(device.energy)} of ${kwh(energy)} kWh`, isGood: false };
}

const tallyOf = ({ meters }: Pick<Tally, "meters">, { device }: Roof): MeterTally =>
  meters.get(toHex(device.keyId)) as MeterTally;

/** mWh that were measured and are not minted yet */
const unsettled = ({ roofs }: Pick<World, "roofs">, tally: Pick<Tally, "meters">): bigint =>
  roofs.reduce((sum, roof) => sum + roof.device.energy - tallyOf(tally, roof).produced, 0n);

function askSubgraph(world: World, indexer: GraphNode, say: (stage: string) => void): Promise<History> {
  say("asking the subgraph");
  return world.still(() => askHistory(world, indexer));
}

/** What was minted is what was produced, to the last unit. */
async function isMinted(world: World, { meters, block }: Tally): Promise<boolean> {
  const produced = [...meters.values()].reduce((total, meter) => total + meter.produced, 0n);
  return (await mintedAt(world, block)) === produced * UNITS_PER_MWH;
}

const hasSettled = ({ meters }: Pick<Tally, "meters">): boolean =>
  [...meters.values()].every(({ settlements }) => settlements >= SETTLEMENTS);

function progressOf({ roofs }: World, { settlements, meters }: Tally): string {
  const produced = [...meters.values()].reduce((total, meter) => total + meter.produced, 0n);
  const readings = roofs.reduce((total, { device }) => total + device.size, 0);
  return `${readings} readings, ${settlements} settlements, ${kwh(produced)} kWh minted`;
}

/** times that a plot is tried: each time an honest settlement may come first, of which fewer are under way each time */
const TRIES = 5;

/** What is overtaken by an honest settlement is skipped, so neither refused nor minted: it is tried once more. */
export async function attemptOf(plot: () => Promise<Conspiracy>): Promise<Attempt> {
  for (let left = TRIES; ; left -= 1) {
    const { attested, attempt, isMinted } = await plot();
    if (!attested) throw new Error("the lying DON did not attest");
    if (isMinted) return { ...attempt, rule: undefined };
    if (attempt.rule !== undefined || left === 1) return attempt;
  }
}

/** Every forgery on the roof with the most minted, then the plots of the DON with an operator. */
async function tryAll(world: World, tally: Tally): Promise<Tried[]> {
  const mintedOf = (roof: Roof) => Number(tallyOf(tally, roof).produced);
  const roof = [...world.roofs].sort((a, b) => mintedOf(b) - mintedOf(a))[0] as Roof;
  const tried: Tried[] = [];
  for (const { title, attempt } of FORGERIES) tried.push({ title, attempt: await attempt(world, roof) });
  for (const plot of PLOTS) {
    tried.push({ title: plot.title, attempt: await attemptOf(() => conspire(world, roof, plot)) });
  }
  restore(world);
  return tried;
}
