/** What a run came to: a table for people, or one JSON object. */
import Table from "cli-table3";
import { toHex } from "../../protocol/index.ts";
import { layOut } from "../../subgraph/questions.ts";
import type { Attempt } from "../attacks/forgeries.ts";
import type { History } from "../history.ts";
import type { MeterTally, Tally } from "../tally.ts";
import type { World } from "../world.ts";
import { trialOf } from "./trial.ts";

const MWH_PER_KWH = 1e6;
export const UNITS_PER_MWH = 10n ** 12n;

export type Tried = { title: string; attempt: Attempt };

export type RunResult = {
  tally: Tally;
  /** units of the token */
  minted: bigint;
  tried: readonly Tried[];
  /** undefined = there was no indexer */
  history: History | undefined;
  /** a sentence */
  outcome: string;
};

export const kwh = (mwh: bigint): string => (Number(mwh) / MWH_PER_KWH).toFixed(3);

export const perReading = ({ gas, readings }: MeterTally): string =>
  readings === 0 ? "" : (Number(gas) / readings).toFixed(1);

/** Characters of a line: the terminal's, in bounds in which the tables are easy to read. */
const widthOf = (): number => Math.min(100, Math.max(60, process.stdout.columns ?? 80));

/** Between rows there are none. */
const NO_LINES = { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" };

/** No wider than the terminal, from 60 on: a column for each meter. */
export function tableOf(world: World, { tally, minted, tried, history, outcome }: RunResult): string {
  const roofs = world.roofs.map((roof) => ({ roof, of: tally.meters.get(toHex(roof.device.keyId)) as MeterTally }));
  const table = new Table({ style: { head: [], border: [] }, chars: NO_LINES });
  table.push(["", ...world.roofs.map(({ name }) => name)]);
  const row = (title: string, cell: (of: (typeof roofs)[number]) => string) =>
    table.push([title, ...roofs.map((of) => ({ hAlign: "right" as const, content: cell(of) }))]);
  row("capacity", ({ roof }) => `${roof.capacity / 1000} kW`);
  row("energy", ({ roof }) => `${kwh(roof.device.energy)} kWh`);
  row("minted", ({ of }) => `${kwh(of.produced)} kWh`);
  row("readings", ({ roof }) => String(roof.device.size));
  row("of them settled", ({ of }) => String(of.size));
  row("settlements", ({ of }) => String(of.settlements));
  row("last gas", ({ of }) => String(of.gas));
  row("gas per reading", ({ of }) => perReading(of));
  return [
    table.toString(),
    sentence(outcome),
    `${tally.settlements} settlements, ${tally.attestations} attestations, ${tally.gas} gas;`,
    `${kwh(minted / UNITS_PER_MWH)} tokens minted, one per kWh`,
    tried.length > 0 ? triedOf(tried) : "No forgery was tried.",
    ...(history ? historyOf(history) : []),
  ].join("\n");
}

const sentence = (text: string): string => `${text[0]?.toUpperCase()}${text.slice(1)}.`;

function triedOf(tried: readonly Tried[]): string {
  const answers = tried.map(({ attempt }) => (attempt.rule ? `${attempt.by}: ${attempt.rule}` : "NOBODY: accepted"));
  const right = Math.min(Math.max(...answers.map(({ length }) => length)) + 2, widthOf() >> 1);
  const table = new Table({
    ...{ style: { head: [], border: [] }, head: ["forgery", "refused by"] },
    ...{ colWidths: [widthOf() - right - 3, right], wordWrap: true },
  });
  for (const [i, { title }] of tried.entries()) table.push([title, answers[i] as string]);
  return table.toString();
}

function historyOf({ agrees, answers }: History): string[] {
  return [
    agrees ? "The subgraph says what the chain says." : "THE SUBGRAPH SAYS SOMETHING ELSE THAN THE CHAIN.",
    ...answers.map(({ title, answer }, i) => `\n${i + 1}. ${title}\n${layOut(answer)}`),
  ];
}

/** `energy_mwh` is the energy of the last settled readings less the baselines; `minted` is in tokens. */
export function jsonOf(world: World, { tally, minted, tried, history, outcome }: RunResult): string {
  const tallies = [...tally.meters.values()];
  const sum = (of: (meter: MeterTally) => number) => tallies.reduce((total, meter) => total + of(meter), 0);
  const energy = tallies.reduce((total, { produced }) => total + produced, 0n);
  return JSON.stringify({
    outcome,
    meters: world.roofs.length,
    readings: world.roofs.reduce((total, { device }) => total + device.size, 0),
    readings_settled: sum(({ size }) => size),
    energy_mwh: Number(energy),
    minted: Number(minted / UNITS_PER_MWH) / MWH_PER_KWH,
    minted_units: String(minted),
    settlements: tally.settlements,
    attestations: tally.attestations,
    gas: Number(tally.gas),
    forgeries_tried: tried.length,
    forgeries_refused: tried.filter(({ attempt }) => attempt.rule !== undefined).length,
    forgeries: tried.map(({ title, attempt }) => ({ title, by: attempt.by, rule: attempt.rule ?? null })),
    ...(history ? { subgraph_agrees: history.agrees, subgraph_answers: history.answers } : {}),
    ...trialOf(world),
  });
}
