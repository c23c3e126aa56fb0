/** What a table's columns are: which say when, which one says how much, and of what. */

import type { Kind } from "./energy.ts";
import { isDateAlone, looksLikeMoment, looksLikeTime } from "./moments.ts";
import { isMissing, looksLikeNumber, splitUnit } from "./numbers.ts";
import type { Row, Table } from "./table.ts";
import { isTrouble, quote, type Trouble, trouble } from "./trouble.ts";

/** `ofCells`: the unit that every cell carries. */
export type Quantity = { unit: string; ofCells?: string | undefined } & (
  | { of: "power" }
  | { of: "energy"; kind: Kind }
);

export type Source = {
  /** to be summed: a meter's phases */
  values: number[];
  quantity: Quantity;
  /** as the file calls what is read */
  name: string;
};

export type Columns = Source & {
  /** what to read where this proves unclear */
  instead?: Source | undefined;
  /** one, or a date and a time of day */
  time: number[];
  /** the header says that the times are UTC */
  isUtc: boolean;
  /** known to write the day before the month */
  dayFirst: boolean;
  /** rows are written when something changes, so that quiet hours are no gap */
  ofChanges: boolean;
};

type Column = { name: string; index: number };
type Named = Column & { quantity: Quantity | undefined };
type Told = Column & { quantity: Quantity };

/** mW or mWh of a unit; undefined where `mw` may be either. */
export function perUnit(unit: string): bigint | undefined {
  if (/^w/i.test(unit)) return 1000n;
  if (/^k/i.test(unit)) return 1_000_000n;
  if (unit.startsWith("M")) return 1_000_000_000n;
  return unit.startsWith("mW") ? 1n : undefined;
}

/** rows that are looked at */
const SAMPLE = 300;

/** Also of a table without a header. A table of Home Assistant's states becomes one of a single entity. */
export function columnsOf(table: Table): { table: Table; columns: Columns } | Trouble {
  const { header, rows } = table;
  if (header && ["entity_id", "state"].every((name) => header.includes(name))) return columnsOfStates(table, header);
  const names = header ? named(header) : namesOf((rows[0] as Row).cells);
  if (!names) {
    const { cells, line } = rows[0] as Row;
    return trouble(`expected timestamp,power but found ${cells.length} columns without a header`, line);
  }
  const time = timeColumns(names, rows);
  const rest = names.map((name, index) => ({ name, index })).filter(({ index }) => !time.includes(index));
  const source = shellyColumns(rest, rows) ?? chosenColumn(rest, rows);
  if (isTrouble(source)) return source;
  const isUtc = time.some((i) => /utc|gmt/i.test(names[i] as string));
  return { table, columns: { ...source, time, isUtc, dayFirst: isOfPvoutput(names), ofChanges: false } };
}

/** The table that pvoutput shows: its energy is the day's, its day before the month. */
const isOfPvoutput = (names: string[]): boolean =>
  ["date", "time", "efficiency"].every((name) => names.some((of) => of.toLowerCase() === name));

const named = (header: string[]): string[] =>
  isOfPvoutput(header) ? header.map((name) => (/^energy$/i.test(name) ? "Energy of the day" : name)) : header;

function chosenColumn(
  columns: Column[],
  rows: Row[],
): Omit<Columns, "time" | "isUtc" | "dayFirst" | "ofChanges"> | Trouble {
  const hasNumbers = ({ index }: Column) => rows.slice(0, SAMPLE).some(({ cells }) => isValue(cells[index] as string));
  const numeric = columns.filter(hasNumbers);
  if (numeric.length === 0) return trouble("has no number but its times");
  const known = numeric.map((column) => ({ ...column, quantity: quantityOf(column.name, unitIn(rows, column.index)) }));
  return choose(known, columns.length === 1);
}

const isValue = (cell: string): boolean => !isMissing(cell) && looksLikeNumber(cell);

/** Without a header: the shape of old, and pvoutput's. */
function namesOf(cells: string[]): string[] | undefined {
  if (cells.length === 2) return ["timestamp", "power"];
  const [date = "", time = ""] = cells;
  if (!/^\d{8}$/.test(date) || !looksLikeTime(time)) return undefined;
  return ["date", "time", "energy of the day (Wh)", ...cells.slice(3).map((_, i) => `field ${i + 4}`)];
}

function timeColumns(names: string[], rows: Row[]): number[] {
  const [first] = rows as [Row];
  const last = rows.at(-1) as Row;
  const all = names.map((_, i) => i);
  const date = all.find((i) => isDateAlone(first.cells[i] as string) && names.length > 2);
  const time = all.find((i) => looksLikeTime(first.cells[i] as string));
  if (date !== undefined && time !== undefined) return [date, time];
  const moments = all.filter((i) => looksLikeMoment(first.cells[i] as string));
  const moving = moments.filter((i) => rows.length === 1 || first.cells[i] !== last.cells[i]);
  const called = all.find((i) => /^(unix|timestamp|time|ts|epoch|date)/i.test(names[i] as string));
  return [moving[0] ?? moments[0] ?? called ?? 0];
}

/** The entity's states, under its name. */
function columnsOfStates(
  { separator, header, rows }: Table,
  names: string[],
): { table: Table; columns: Columns } | Trouble {
  const [entity, state] = [names.indexOf("entity_id"), names.indexOf("state")];
  const changed = names.findIndex((name) => /^last_(changed|updated)/.test(name));
  if (changed < 0) return trouble('has no column "last_changed": export the history once more');
  const entities = new Map<string, boolean>();
  for (const { cells } of rows) {
    const name = cells[entity] as string;
    entities.set(name, entities.get(name) || isValue(cells[state] as string));
  }
  const numeric = [...entities].filter(([, isNumeric]) => isNumeric).map(([name]) => name);
  if (numeric.length === 0) return trouble("has no entity with numbers for states");
  const quantityIn = (name: string) => quantityOf(name.replace(/^\w+\./, ""), undefined);
  const chosen = choose(
    numeric.map((name, index) => ({ name, index, quantity: quantityIn(name) })),
    numeric.length === 1,
  );
  if (isTrouble(chosen)) return chosen;
  const { name, quantity } = chosen;
  const table = { separator, header, rows: rows.filter(({ cells }) => cells[entity] === name) };
  const columns = { name, quantity, time: [changed], values: [state], isUtc: false, dayFirst: false, ofChanges: true };
  return { table, columns };
}

/**
 * A Shelly's own CSV: Wh of each minute or ten, consumed and returned, of each phase. A roof's is what was returned; if
 * next to nothing was, its clamp is the other way round.
 */
function shellyColumns(columns: Column[], rows: Row[]): Source | Trouble | undefined {
  const active = columns.filter(({ name }) => /^([abc]_)?total_act_energy$|^active energy wh/i.test(name));
  const returned = columns.filter(({ name }) => /^([abc]_)?total_act_ret_energy$|^returned energy wh/i.test(name));
  if (active.length === 0 || returned.length === 0) return undefined;
  const [consumed, produced] = [active, returned].map((of) => sumOf(of, rows)) as [number, number];
  const [less, more] = consumed < produced ? [consumed, produced] : [produced, consumed];
  const kWh = (wh: number) => `${(wh / 1000).toFixed(3)} kWh`;
  if (produced < consumed && less > more * 0.02) {
    const sums = `${kWh(produced)} in ${listOf(returned)}, ${kWh(consumed)} in ${listOf(active)}`;
    return trouble(`has ${sums}: leave out what is not the roof's`);
  }
  const chosen = produced >= consumed ? returned : active;
  const quantity: Quantity = { of: "energy", unit: "Wh", kind: "by step" };
  return { values: chosen.map(({ index }) => index), quantity, name: listOf(chosen) };
}

const sumOf = (columns: Column[], rows: Row[]): number =>
  rows.reduce((sum, { cells }) => sum + columns.reduce((of, { index }) => of + (Number(cells[index]) || 0), 0), 0);

const listOf = (columns: { name: string }[]): string => columns.map(({ name }) => name).join(" + ");

/** The unit that the cells of a column carry, by the first that is a number. */
function unitIn(rows: Row[], index: number): string | undefined {
  const first = rows.find(({ cells }) => isValue(cells[index] as string));
  return first && splitUnit(first.cells[index] as string)[1];
}

const UNIT = /(?<![A-Za-z/])([kKmM]?[wW][hH]?)(?![A-Za-z/²³\d]|\s*\/)/;
const UNIT_IN_WORDS = /(?<![a-z])(kilo|mega)?watt(s|[- ]?hours?)?(?![a-z])/i;
const POWER = /power|leistung|puissance|potencia|potenza|vermogen|effekt|(?<![a-z])(p|pac|p_ac|watt)(?![a-z])/i;
const ENERGY = /energ|yield|ertrag|(?<![a-z])e(?![a-z])/i;
/** What is no production, whatever it is measured in. */
const UNFIT =
  /apparent|aprt|react|schein|blind|max|min(?!ut)|peak|fund_|irradiance|radiation|forecast|expected|estimated|efficiency|normali[sz]ed|temp|volt|current(?!.?p)|humidity|(?<![a-z])(soc|va|var)(?![a-z])/i;
const PRODUCED =
  /solar|(?<![a-z])pv(?![a-z]{3})|produc|produk|produz|generat|generac|erzeug|yield|ertrag|inverter|wechselrichter/i;
const CONSUMED =
  /consum|verbrauch|(?<![a-z])us(ed|age)(?![a-z])|import|bezug|(?<![a-z])load|house|haus|(dis)?charg|batter|batterie|akku/i;
const ELSEWHERE = /export|feed|einspeis|grid|netz|eigen|self|(?<![a-z])(to|dc|string|mppt)\d*(?![a-z])/i;
const WHOLE = /total|sum|gesamt|overall|(?<![a-z])all(?![a-z])/i;
const AVERAGE = /average|avg|mean|mittel/i;
const OF_THE_DAY = /today|daily|of the day|heute|(?<![a-z])(day|tag|tages)/i;
const REGISTER = /total|cumul|kumul|counter|register|lifetime|meter|reading|zähler|zaehler|stand|gesamt|index/i;
const BY_STEP = /interval|per |each|delta|period|hourly|by |incremental|stündlich|\d+ ?min/i;

function quantityOf(name: string, ofCells: string | undefined): Quantity | undefined {
  if (UNFIT.test(name)) return undefined;
  const unit = canonical(ofCells ?? unitNamed(name));
  const isEnergy = unit ? /h$/i.test(unit) : ENERGY.test(name) && !POWER.test(name);
  if (!isEnergy) return unit || POWER.test(name) ? { of: "power", unit: unit ?? "W", ofCells } : undefined;
  return { of: "energy", unit: unit ?? "", ofCells, kind: kindNamed(name) };
}

/** As it is written, where it is not: `kwh`, `KW`, `w`. */
const canonical = (unit: string | undefined): string | undefined =>
  unit
    ?.replace(/^K/, "k")
    .replace(/^(k?)w/, "$1W")
    .replace(/H$/, "h");

function kindNamed(name: string): Kind {
  if (OF_THE_DAY.test(name)) return "of the day";
  if (BY_STEP.test(name)) return "by step";
  return REGISTER.test(name) ? "register" : "untold";
}

function unitNamed(name: string): string | undefined {
  const [, short] = UNIT.exec(name) ?? [];
  if (short) return short;
  const [words, large = "", hours = ""] = UNIT_IN_WORDS.exec(name) ?? [];
  if (words === undefined) return undefined;
  return `${large === "" ? "" : large[0]?.toLowerCase() === "k" ? "k" : "M"}W${/hour/i.test(hours) ? "h" : ""}`;
}

/** The column that is the roof's production: an energy, for that is what was metered, before a power. */
function choose(columns: Named[], isOnly: boolean): (Source & Pick<Columns, "instead">) | Trouble {
  const [only] = columns;
  if (isOnly && only && !only.quantity && !UNFIT.test(only.name)) {
    return sourceOf({ ...only, quantity: { of: "power", unit: "W" } });
  }
  const fit = columns.filter((column): column is Told => column.quantity !== undefined);
  if (fit.length === 0) return trouble("has no column that is called a power or an energy: call one power (W)");
  const tier = tierOf(fit);
  if (tier.length === 0)
    return trouble(`has only what was consumed, ${namesIn(fit)}: call what was produced power (W)`);
  const energies = tier.filter(({ quantity }) => quantity.of === "energy" && quantity.unit !== "");
  const powers = tier.filter(({ quantity }) => quantity.of === "power");
  const [energy, power] = [singleOf(energies), singleOf(powers)];
  const single = energy ?? power;
  if (!single && energies.length + powers.length === 0) {
    return trouble(`${namesIn(tier)} is an energy without a unit: call it ${tier[0]?.name}_kWh or _Wh`);
  }
  if (!single) return trouble(`has several columns that may be meant, ${namesIn([...energies, ...powers])}: leave one`);
  if (perUnit(single.quantity.unit) === undefined) {
    return trouble(`${quote(single.name)} may be in milli or in mega: write mW or MW`);
  }
  return { ...sourceOf(single), instead: energy && power && sourceOf(power) };
}

const sourceOf = ({ index, quantity, name }: Told): Source => ({ values: [index], quantity, name });

/** What is said to be produced; else what is said to be nothing else; else what went elsewhere. */
function tierOf(columns: Told[]): Told[] {
  const is = (words: RegExp) => columns.filter(({ name }) => words.test(name));
  const [produced, consumed, elsewhere] = [is(PRODUCED), is(CONSUMED), is(ELSEWHERE)];
  const tiers = [
    produced.filter((column) => !consumed.includes(column) && !elsewhere.includes(column)),
    columns.filter((column) => ![...produced, ...consumed, ...elsewhere].includes(column)),
    elsewhere.filter((column) => !consumed.includes(column)),
  ];
  return tiers.find(({ length }) => length > 0) ?? [];
}

/** The one of several that is the whole, or no average. */
function singleOf(columns: Told[]): Told | undefined {
  for (const preferred of [() => true, (name: string) => WHOLE.test(name), (name: string) => !AVERAGE.test(name)]) {
    const left = columns.filter(({ name }) => preferred(name));
    if (left.length === 1) return left[0];
  }
  return undefined;
}

const namesIn = (columns: Column[]): string => columns.map(({ name }) => quote(name)).join(", ");
