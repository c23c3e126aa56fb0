/** What a run came to: a table for people, or one JSON object. */
import Table from "cli-table3";
import { toHex } from "../protocol/index.ts";
import { layOut } from "../subgraph/questions.ts";
import type { Attempt } from "./forgeries.ts";
import type { History } from "./history.ts";
import type { MeterTally, Tally } from "./tally.ts";
import type { World } from "./world.ts";

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
};

export const kwh = (mwh: bigint): string => (Number(mwh) / MWH_PER_KWH).toFixed(3);

export const perReading = ({ gas, readings }: MeterTally): string =>
  readings === 0 ? "" : (Number(gas) / readings).toFixed(1);

export function tableOf(world: World, { tally, minted, tried, history }: RunResult): string {
  const meters = new Table({
    style: { head: [], border: [] },
    head: ["meter", "capacity", "energy", "readings", "settled", "settlements", "minted", "last gas", "gas/reading"],
  });
  for (const { name, capacity, device } of world.roofs) {
    const of = tally.meters.get(toHex(device.keyId)) as MeterTally;
    meters.push([
      name,
      `${capacity / 1000} kW`,
      `${kwh(device.energy)} kWh`,
      String(device.size),
      String(of.size),
      String(of.settlements),
      `${kwh(of.produced)} kWh`,
      String(of.gas),
      perReading(of),
    ]);
  }
  const forgeries = new Table({ style: { head: [], border: [] }, head: ["forgery", "refused by", "rule"] });
  for (const { title, attempt } of tried) {
    forgeries.push([title, attempt.rule ? attempt.by : "NOBODY", attempt.rule ?? "accepted"]);
  }
  return [
    meters.toString(),
    `${tally.settlements} settlements, ${tally.attestations} attestations, ${tally.gas} gas; ` +
      `${kwh(minted / UNITS_PER_MWH)} tokens minted, one per kWh`,
    forgeries.toString(),
    ...(history ? historyOf(history) : []),
  ].join("\n");
}

function historyOf({ agrees, answers }: History): string[] {
  return [
    agrees ? "The subgraph says what the chain says." : "THE SUBGRAPH SAYS SOMETHING ELSE THAN THE CHAIN.",
    ...answers.map(({ title, answer }, i) => `\n${i + 1}. ${title}\n${layOut(answer)}`),
  ];
}

/** `energy_mwh` is the energy of the last settled readings less the baselines; `minted` is in tokens. */
export function jsonOf(world: World, { tally, minted, tried, history }: RunResult): string {
  const tallies = [...tally.meters.values()];
  const sum = (of: (meter: MeterTally) => number) => tallies.reduce((total, meter) => total + of(meter), 0);
  const energy = tallies.reduce((total, { produced }) => total + produced, 0n);
  return JSON.stringify({
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
  });
}
