/** The live view: how every meter does, and the three keys. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { emitKeypressEvents } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import Table from "cli-table3";
import logUpdate from "log-update";
import { productionTokenAbi } from "../contracts/abi.ts";
import { toHex } from "../protocol/index.ts";
import { conspire, PLOTS, type Plot, restore } from "./conspiracy.ts";
import { FORGERIES, type Forgery } from "./forgeries.ts";
import { howToAsk } from "./indexer/index.ts";
import { proofOf, runScript } from "./proof.ts";
import { kwh, perReading, UNITS_PER_MWH } from "./report.ts";
import type { Roof } from "./roof.ts";
import type { Stops } from "./stop.ts";
import { createTally, type MeterTally, type Tally } from "./tally.ts";
import { firstLine, type World } from "./world.ts";

/** ms between two looks: on a terminal, and where lines are written one after the other */
const REFRESH = { terminal: 500, lines: 5000 };

const FORGERY_KEYS = "1234567890abcdefghijklmnop";

export async function runLive(
  world: World,
  { stops, end }: { stops: Stops; end: (code: number) => Promise<void> },
): Promise<void> {
  const terminal = process.stdout.isTTY && process.stdin.isTTY;
  const look = createTally(world);
  let tally = await look();
  let choosing = false;
  let lying = false;
  let stopped = false;
  stops.add(() => {
    stopped = true;
    if (terminal) {
      process.stdin.setRawMode(false);
      process.stdin.pause();
    }
  });

  /** Writes something to keep above the view. */
  const tell = (text: string) => {
    if (terminal) logUpdate.clear();
    console.log(text);
    if (terminal) logUpdate(view(world, tally, { choosing, lying }));
  };

  const keys: Record<string, () => Promise<void>> = {
    async f() {
      choosing = true;
    },
    async p() {
      tell(await prove(world));
    },
    async d() {
      lying = !lying;
      if (!lying) {
        restore(world);
        return tell("The DON's nodes are honest again.");
      }
      tell(await lie(world));
    },
  };
  const pick = async (key: string) => {
    choosing = false;
    const forgery = FORGERIES[FORGERY_KEYS.indexOf(key)];
    if (forgery) tell(await world.still(() => forge(world, forgery)));
  };

  console.log(placesOf(world));
  world.run();
  if (terminal) {
    let busy = false;
    emitKeypressEvents(process.stdin);
    process.stdin.setRawMode(true);
    process.stdin.on("keypress", async (text: string | undefined, key: { ctrl?: boolean; name?: string }) => {
      if (key.ctrl && key.name === "c") return end(130);
      const action = choosing ? () => pick(text ?? "") : keys[key.name ?? ""];
      if (busy || !action) return;
      busy = true;
      await action().catch((error) => tell(`That did not work: ${firstLine(error)}`));
      busy = false;
    });
  }
  while (!stopped) {
    tally = await look().catch(() => tally);
    if (terminal) logUpdate(view(world, tally, { choosing, lying }));
    else console.log(lineOf(world, tally));
    await delay(terminal ? REFRESH.terminal : REFRESH.lines);
  }
}

function placesOf({ chain, oracle, deployment, attestor, chainlink, indexer }: World): string {
  return [
    "",
    `oracle       ${oracle.url}  (/meters, /health, /batches/…)`,
    `chain        ${chain.url}  (chain id ${chain.publicClient.chain?.id})`,
    `registry     ${deployment.registry}`,
    `WattWitness  ${deployment.wattWitness}`,
    `token        ${deployment.token}`,
    `attestor     ${attestor}  (asks ${chainlink.router})`,
    "",
    ...(indexer ? [howToAsk(indexer), ""] : []),
  ].join("\n");
}

function view(world: World, tally: Tally, { choosing, lying }: { choosing: boolean; lying: boolean }): string {
  const table = new Table({
    style: { head: [], border: [] },
    head: ["meter", "power", "energy", "readings", "settled", "minted", "last gas", "gas/reading"],
  });
  for (const { name, device, power } of world.roofs) {
    const of = tally.meters.get(toHex(device.keyId)) as MeterTally;
    table.push([
      name,
      `${(Number(power) / 1e6).toFixed(2)} kW`,
      `${kwh(device.energy)} kWh`,
      String(device.size),
      String(of.size),
      `${kwh(of.produced)} kWh`,
      of.gas ? String(of.gas) : "",
      perReading(of),
    ]);
  }
  const menu = FORGERIES.map(({ title }, i) => `  ${FORGERY_KEYS[i]}  ${title}`);
  return [
    `${timeOf(world)}   ${tally.settlements} settlements, ${tally.attestations} attestations, ${tally.refusals} refused` +
      (lying ? "   all four nodes of the DON lie" : "") +
      (world.isOver() ? "   the recording is over" : ""),
    table.toString(),
    ...(choosing
      ? ["forge:", ...menu, "  any other key: nothing"]
      : ["f forge a reading   p prove one   d make the DON lie   Ctrl-C end"]),
  ].join("\n");
}

const timeOf = (world: World): string => new Date(world.now() * 1000).toISOString().slice(0, 16).replace("T", " ");

function lineOf(world: World, tally: Tally): string {
  const produced = [...tally.meters.values()].reduce((total, meter) => total + meter.produced, 0n);
  const readings = world.roofs.reduce((total, { device }) => total + device.size, 0);
  return `${timeOf(world)}  ${readings} readings, ${tally.settlements} settlements, ${kwh(produced)} kWh minted`;
}

const sunniest = ({ roofs }: World): Roof =>
  [...roofs].sort((a, b) => Number(b.device.energy - a.device.energy))[0] as Roof;

async function forge(world: World, forgery: Forgery): Promise<string> {
  const roof = sunniest(world);
  if (roof.device.energy === 0n) return "No meter has produced anything yet: wait for the sun.";
  const { by, rule, message } = await forgery.attempt(world, roof);
  return rule === undefined
    ? `ACCEPTED: ${forgery.title}. This must not happen; please report it.`
    : `Forged ${forgery.title}: refused by the ${by}, "${rule}" (${message}).`;
}

async function prove(world: World): Promise<string> {
  const roof = sunniest(world);
  const { device } = roof;
  const index = Math.floor(Math.random() * device.acknowledged);
  const proof = (await proofOf(world, roof, index)) ?? (await proofOf(world, roof, 0));
  if (!proof) return "Nothing is settled yet: wait for the first settlement.";
  const folder = await mkdtemp(join(tmpdir(), "wattwitness-proof-"));
  try {
    const output = await runScript(proof.script, folder);
    return ["", proof.summary, "", proof.script, "", "It prints:", output].join("\n");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function lie(world: World): Promise<string> {
  const { attested, attempt, supplyBefore, supplyAfter } = await conspire(world, sunniest(world), PLOTS[0] as Plot);
  const supply = await world.chain.publicClient.readContract({
    address: world.deployment.token,
    abi: productionTokenAbi,
    functionName: "totalSupply",
  });
  const kwhOf = (units: bigint) => kwh(units / UNITS_PER_MWH);
  return [
    `All four nodes lie, and an operator with them: a batch that does not exist was ${attested ? "attested" : "not attested"}.`,
    `Settling from it: the ${attempt.by} refuses, ${attempt.rule}. Supply before ${kwhOf(supplyBefore)}, after ${kwhOf(supplyAfter)}, now ${kwhOf(supply)}.`,
    "While they lie no batch is attested, so nothing is minted. d makes them honest again.",
  ].join("\n");
}
