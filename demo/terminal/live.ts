/** The live view: how every meter does, and the keys. */
import { clearScreenDown, cursorTo, emitKeypressEvents, moveCursor } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { createLogUpdate } from "log-update";
import { productionTokenAbi } from "../../contracts/abi.ts";
import { conspire, PLOTS, type Plot, restore } from "../attacks/conspiracy.ts";
import { FORGERIES, type Forgery } from "../attacks/forgeries.ts";
import { howToAsk } from "../indexer/index.ts";
import type { Stops } from "../processes/stop.ts";
import type { Roof } from "../roof.ts";
import { createTally, type Tally } from "../tally.ts";
import { firstLine, type World } from "../world.ts";
import { proofOf, runScript } from "./proof.ts";
import { kwh, UNITS_PER_MWH } from "./report.ts";
import { sizeOf, styled, widthOf, wrap } from "./text.ts";
import { howToTry } from "./trial.ts";
import { FORGERY_KEYS, timeOf, viewOf } from "./view.ts";

/** ms between two looks: on a terminal, and where lines are written one after the other */
const REFRESH = { terminal: 500, lines: 5000 };

/** Who is told what goes wrong while it runs. */
type Told = { problem: (problem: string) => void };

export async function runLive(
  world: World,
  { stops, end, told }: { stops: Stops; end: (code: number) => Promise<void>; told: Told },
): Promise<void> {
  const terminal = process.stdout.isTTY && process.stdin.isTTY;
  const look = createTally(world);
  const frame = createFrame();
  const state = { tally: await look(), choosing: false, lying: false };
  let stopped = false;
  stops.add(() => {
    stopped = true;
    if (terminal) {
      frame.end();
      process.stdin.setRawMode(false);
      process.stdin.pause();
    }
  });

  const draw = () => {
    if (terminal && !stopped) frame.show(viewOf(world, state, sizeOf()));
  };
  /** Writes something to keep above the view. */
  const tell = (text: string) => {
    if (terminal) frame.clear();
    console.log(`${wrap(text)}\n`);
    draw();
  };

  told.problem = tell;

  const keys: Record<string, () => Promise<void>> = {
    async f() {
      state.choosing = true;
      draw();
    },
    async p() {
      tell(await prove(world));
    },
    async d() {
      state.lying = !state.lying;
      if (!state.lying) {
        restore(world);
        return tell("The DON's nodes are honest again.");
      }
      tell(await lie(world));
    },
    async i() {
      tell(howToTry(world));
    },
  };
  const pick = async (key: string) => {
    state.choosing = false;
    const forgery = FORGERIES[FORGERY_KEYS.indexOf(key)];
    if (key && forgery) tell(await world.still(() => forge(world, forgery)));
    else draw();
  };

  console.log(placesOf(world));
  world.run();
  if (terminal) {
    let busy = false;
    emitKeypressEvents(process.stdin);
    process.stdin.setRawMode(true);
    process.stdin.on("keypress", async (text: string | undefined, key: { ctrl?: boolean; name?: string }) => {
      if (key.ctrl && key.name === "c") return end(130);
      const action = state.choosing ? () => pick(text ?? "") : keys[key.name ?? ""];
      if (busy || !action) return;
      busy = true;
      await action().catch((error) => tell(`That did not work: ${firstLine(error)}`));
      busy = false;
    });
    process.stdout.on("resize", () => {
      frame.resized();
      draw();
    });
  }
  while (!stopped) {
    state.tally = await look().catch(() => state.tally);
    if (terminal) draw();
    else console.log(lineOf(world, state.tally));
    await delay(terminal ? REFRESH.terminal : REFRESH.lines);
  }
}

/** What stands at the end of the terminal, each time in the place of what stood there before. */
function createFrame(output: NodeJS.WriteStream = process.stdout) {
  let render = createLogUpdate(output);
  let shown = "";
  return {
    show(text: string) {
      shown = text;
      render(text);
    },
    clear: () => render.clear(),
    end: () => render.done(),
    /** Takes away what the terminal has made of it: it broke lines anew that were written for another width. */
    resized() {
      const { columns } = sizeOf(output);
      const height = shown.split("\n").reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns)), 0);
      moveCursor(output, 0, -height);
      cursorTo(output, 0);
      clearScreenDown(output);
      render = createLogUpdate(output);
    },
  };
}

function placesOf({ chain, oracle, indexer }: World): string {
  const places = [
    "",
    `dashboard  ${oracle.url}/?rpc=${chain.url}`,
    `oracle     ${oracle.url}`,
    `chain      ${chain.url}  (i tells more)`,
    "",
    ...(indexer ? [howToAsk(indexer), ""] : []),
  ];
  return wrap(places.join("\n"));
}

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
    ? styled("red", `ACCEPTED: ${forgery.title}. This must not happen; please report it.`)
    : `Forged ${forgery.title}: refused by the ${by}, "${rule}" (${message}).`;
}

async function prove(world: World): Promise<string> {
  const roof = sunniest(world);
  const { device } = roof;
  const index = Math.floor(Math.random() * device.acknowledged);
  const proof = (await proofOf(world, roof, index)) ?? (await proofOf(world, roof, 0));
  if (!proof) return "Nothing is settled yet: wait for the first settlement.";
  return ["", proof.summary, "", proof.script, "", "It prints:", await runScript(proof.script)].join("\n");
}

async function lie(world: World): Promise<string> {
  const plot = () => conspire(world, sunniest(world), PLOTS[0] as Plot);
  const { attested, attempt, isMinted, supplyBefore, supplyAfter } = await world.still(plot);
  const supply = await world.chain.publicClient.readContract({
    address: world.deployment.token,
    abi: productionTokenAbi,
    functionName: "totalSupply",
  });
  const skips = isMinted ? "ACCEPTS IT" : "skips it, because an honest settlement came first";
  const answer = attempt.rule ? `refuses, ${attempt.rule}` : skips;
  const kwhOf = (units: bigint) => kwh(units / UNITS_PER_MWH);
  return [
    `All four nodes lie, and an operator with them: a batch that does not exist was ${attested ? "attested" : "not attested"}.`,
    `Settling from it: the contract ${answer}. Supply before ${kwhOf(supplyBefore)}, after ${kwhOf(supplyAfter)}, now ${kwhOf(supply)}.`,
    "While they lie no batch is attested, so nothing is minted. d makes them honest again.",
  ].join("\n");
}
