/** What the live view shows, made to fit its terminal. */
import { toHex } from "../../protocol/index.ts";
import { FORGERIES } from "../attacks/forgeries.ts";
import type { MeterTally, Tally } from "../tally.ts";
import type { World } from "../world.ts";
import { kwh, perReading } from "./report.ts";
import { cut, type Size, styled, tableOf, widthOf, wrap } from "./text.ts";

export const FORGERY_KEYS = "1234567890abcdefghijklmnop";

/** What each key does. */
const KEYS = {
  f: "forge a reading",
  p: "prove one",
  d: "make the DON lie",
  i: "how to try it yourself",
  "Ctrl-C": "end",
};

export type ViewState = {
  tally: Tally;
  /** a forgery is being picked */
  choosing: boolean;
  /** the DON's nodes lie */
  lying: boolean;
};

/** At most `columns` wide, and lower than `rows`: the cursor stands below it. */
export function viewOf(
  world: Pick<World, "roofs" | "now" | "isOver">,
  { tally, choosing, lying }: ViewState,
  { columns, rows }: Size,
): string {
  const happened = `${tally.settlements} settlements, ${tally.attestations} attestations, ${tally.refusals} refused`;
  const lines = [
    ...wrap(`${timeOf(world)}  ${happened}`, columns).split("\n"),
    ...(lying ? [styled("red", cut("all four nodes of the DON lie", columns))] : []),
    ...(world.isOver() ? [styled("yellow", cut("the recording is over", columns))] : []),
    ...(choosing ? menu(columns) : ["", ...metersOf(world, tally, columns), "", ...legend(columns)]),
  ];
  return lines.slice(0, rows - 1).join("\n");
}

function metersOf({ roofs }: Pick<World, "roofs">, tally: Tally, columns: number): string[] {
  const tallies = roofs.map(({ device }) => tally.meters.get(toHex(device.keyId)) as MeterTally);
  const [head = "", ...rows] = tableOf(
    [
      { head: "meter", cells: roofs.map(({ name }) => name) },
      { head: "power kW", cells: roofs.map(({ power }) => (Number(power) / 1e6).toFixed(2)), goes: 4 },
      { head: "energy kWh", cells: roofs.map(({ device }) => kwh(device.energy)) },
      { head: "readings", cells: roofs.map(({ device }) => String(device.size)), goes: 3 },
      { head: "settled", cells: tallies.map(({ size }) => String(size)), goes: 5 },
      { head: "minted kWh", cells: tallies.map(({ produced }) => kwh(produced)) },
      { head: "last gas", cells: tallies.map(({ gas }) => (gas ? String(gas) : "")), goes: 1 },
      { head: "gas/reading", cells: tallies.map(perReading), goes: 2 },
    ],
    columns,
  ).split("\n");
  return [styled("dim", head), ...rows];
}

const menu = (columns: number): string[] => [
  styled("bold", "Forge"),
  ...FORGERIES.map(({ title }, i) => cut(`${FORGERY_KEYS[i]} ${title}`, columns)),
  "any other key: nothing",
];

/** As many keys in a line as fit, none of them torn apart. */
function legend(columns: number): string[] {
  const lines: string[] = [];
  for (const [key, what] of Object.entries(KEYS)) {
    const item = `${styled("bold", key)} ${what}`;
    const last = lines.at(-1);
    const together = last && `${last}   ${item}`;
    if (together && widthOf(together) <= columns) lines[lines.length - 1] = together;
    else lines.push(item);
  }
  return lines;
}

export const timeOf = (world: Pick<World, "now">): string =>
  new Date(world.now() * 1000).toISOString().slice(0, 16).replace("T", " ");
