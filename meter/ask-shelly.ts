/**
 * Reads a real Shelly by HTTP and understands what it answers, as firmware/core/shelly.h does: Gen1 (EM, 3EM; plugs and PM
 * models) and Gen2 and later (Pro EM, Pro 3EM and their successors; plugs and PM models), a single channel or all of them
 * together.
 *
 * Through the export register power has the opposite of the Shelly's sign, which counts consumption positive. Digits beyond a
 * thousandth of a unit are cut off. One that asks for a password is not read.
 */
import type { Measurement } from "./device.ts";

/** A measurement, or why there is none, as the end of a sentence. */
export type Asked = { ok: true; measurement: Measurement } | { ok: false; problem: string };

/** ms that it may take to answer */
const PATIENCE = 2000;
const ALL_CHANNELS = 15;
/** mW, mWh: beyond it nothing is believed */
const LIMIT = 2n ** 50n;
const NOT_MEASURED = 0xffff_ffffn;
/** Both are tried, the first that there is stays. */
const PATHS = ["/rpc/Shelly.GetStatus", "/status"];

/** `url`: of the Shelly, without a path. `meter`: which one counted last, and with which channels. */
export function createShellyReader(url: string, source: number, meter?: string): () => Promise<Asked> {
  let known = meter;
  let path: string | undefined;

  async function ask(): Promise<Asked> {
    for (const each of path === undefined ? PATHS : [path]) {
      const response = await fetch(new URL(each, url), {
        ...{ redirect: "error", signal: AbortSignal.timeout(PATIENCE) },
      }).catch(() => undefined);
      if (!response) return no("it does not answer");
      if (response.status === 404) continue;
      if (response.status === 401) return no("it asks for a password, which only the firmware can give it");
      if (!response.ok) return no(`it answers with HTTP ${response.status}`);
      const asked = measurementIn(await response.json().catch(() => undefined), source);
      if (asked.ok) path = each;
      return asked;
    }
    path = undefined;
    return no("it does not answer as a Shelly energy meter");
  }

  return async () => {
    const asked = await ask();
    if (!asked.ok) return asked;
    // the sum of fewer channels is no smaller register
    if (lacks(known, asked.measurement.meter)) return no("a channel is missing in its answer that was there before");
    known = asked.measurement.meter;
    return asked;
  };
}

const no = (problem: string): Asked => ({ ok: false, problem });

/* WHAT IT SAYS */

type Fields = Record<string, unknown>;
/** What the fields of a channel are called. */
type Names = {
  kind: string;
  power: string;
  imported: string;
  exported: string;
  voltage: string;
  current: string;
  /** in Wh, a field each way, unless told */
  counting?: "watt-minutes" | "nested";
};
/** What it shows now and what it has counted, which may be the same object. */
type Channel = { live: Fields; counted: Fields; names: Names; errors: string };

const GEN1: Names = {
  ...{ kind: "gen1", power: "power", imported: "total", exported: "total_returned" },
  ...{ voltage: "voltage", current: "current" },
};
const EM1: Names = {
  ...{ kind: "em1", power: "act_power", imported: "total_act_energy", exported: "total_act_ret_energy" },
  ...{ voltage: "voltage", current: "current" },
};
const METER: Names = { ...GEN1, kind: "meter", counting: "watt-minutes" };
const pm = (kind: string): Names => ({
  ...{ kind, power: "apower", imported: "aenergy", exported: "ret_aenergy", counting: "nested" },
  ...{ voltage: "voltage", current: "current" },
});
const PMS = { pm1: pm("pm1"), switch: pm("switch") };
const phase = (letter: string): Names => ({
  ...{ kind: "em", power: `${letter}_act_power`, imported: `${letter}_total_act_energy` },
  ...{ exported: `${letter}_total_act_ret_energy`, voltage: `${letter}_voltage`, current: `${letter}_current` },
});

/** `source`: a reading's, bits 0-3 channel, 15 = all; bit 4: export register. */
export function measurementIn(answer: unknown, source: number): Asked {
  if (!isFields(answer)) return no("it does not answer as a Shelly energy meter");
  const number = source & 0x0f;
  const all = channelsIn(answer);
  const channels = number === ALL_CHANNELS ? all : all.slice(number, number + 1);
  const [first] = channels;
  if (!first) return no(all.length === 0 ? "it tells of no channel" : `it has no channel ${number}`);
  const mac = macIn(answer);
  if (!mac) return no("it does not tell its MAC address");

  const isExport = (source & 0x10) !== 0;
  const powers = channels.map(({ live, names }) => numberIn(live, names.power));
  const totals = channels.map((channel) => totalOf(channel, isExport));
  const kinds = channels.map((channel) => kindOf(channel, isExport));
  const [power, register] = [sumOf(powers), sumOf(totals)];
  if (power === undefined || register === undefined || totals.some((total) => total === undefined || total < 0n)) {
    return no("it does not tell what its channel measures");
  }
  if (kinds.some((kind) => kind !== kinds[0])) return no("not all its channels tell the same");
  if (power <= -LIMIT || power >= LIMIT || register >= LIMIT) return no("it tells what no installation makes");
  const voltages = channels.flatMap(({ live, names }) => numberIn(live, names.voltage) ?? []);
  const voltage = voltages.length > 0 ? (sumOf(voltages) as bigint) / BigInt(voltages.length) : undefined;
  const current = sumOf(channels.map(({ live, names }) => numberIn(live, names.current)));
  return {
    ok: true,
    measurement: {
      ...{ power: isExport ? -power : power, register, voltage: measured(voltage), current: measured(current) },
      ...{ valid: channels.every(isValid), meter: `${mac} ${kinds[0]} ${channels.length}` },
    },
  };
}

/** Of a PM model, what flowed back is taken out of the import, which has it in it. */
function totalOf({ counted, names }: Channel, isExport: boolean): bigint | undefined {
  const { counting, imported, exported } = names;
  if (counting === "watt-minutes") {
    const total = isExport ? undefined : numberIn(counted, imported);
    return total === undefined ? undefined : total / 60n;
  }
  if (counting !== "nested") return numberIn(counted, isExport ? exported : imported);
  const [all, returned] = [imported, exported].map((name) => numberIn(fieldsIn(counted, name), "total"));
  if (isExport) return returned;
  return all === undefined ? undefined : all - (returned ?? 0n);
}

/** A register from which nothing could be taken out is another one. */
function kindOf({ counted, names }: Channel, isExport: boolean): string {
  const returned = numberIn(fieldsIn(counted, names.exported), "total");
  const isSeparated = names.counting === "nested" && !isExport && returned !== undefined;
  return isSeparated ? `${names.kind}-separated` : names.kind;
}

function channelsIn(answer: Fields): Channel[] {
  for (const [name, names] of [["emeters", GEN1] as const, ["meters", METER] as const]) {
    const found = answer[name];
    if (Array.isArray(found)) {
      return found.filter(isFields).map((live) => ({ live, counted: live, names, errors: "errors" }));
    }
  }
  const phases = answer["em:0"];
  if (isFields(phases)) {
    const counted = fieldsIn(answer, "emdata:0");
    return ["a", "b", "c"].map((letter) => ({
      ...{ live: phases, counted, names: phase(letter), errors: `${letter}_errors` },
    }));
  }
  const channels: Channel[] = [];
  for (let live = answer["em1:0"]; isFields(live); live = answer[`em1:${channels.length}`]) {
    channels.push({ live, counted: fieldsIn(answer, `em1data:${channels.length}`), names: EM1, errors: "errors" });
  }
  // a meter's clamps go before its relay, which counts nothing
  if (channels.length > 0) return channels;
  for (const [name, names] of Object.entries(PMS)) {
    for (let live = answer[`${name}:0`]; isFields(live); live = answer[`${name}:${channels.length}`]) {
      channels.push({ live, counted: live, names, errors: "errors" });
    }
    if (channels.length > 0) return channels;
  }
  return [];
}

function isValid({ live, counted, errors }: Channel): boolean {
  const found = [live[errors], live["errors"], counted["errors"]].flatMap((each) => (Array.isArray(each) ? each : []));
  // the order in which phases rotate changes nothing of what each delivers
  return (live["is_valid"] ?? true) === true && found.every((error) => error === "phase_sequence");
}

function macIn(answer: Fields): string | undefined {
  const mac = (isFields(answer["sys"]) ? answer["sys"] : answer)["mac"];
  return typeof mac === "string" && /^[0-9a-f]{12}$/i.test(mac) ? mac.toUpperCase() : undefined;
}

/** Whether it is the same meter with fewer channels. */
function lacks(known: string | undefined, meter: string | undefined): boolean {
  const [mac, kind, count] = (known ?? "").split(" ");
  const [sameMac, sameKind, now] = (meter ?? "").split(" ");
  return mac === sameMac && kind === sameKind && Number(now) < Number(count);
}

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null;
const fieldsIn = (answer: Fields, name: string): Fields => (isFields(answer[name]) ? answer[name] : {});

/** In thousandths, exactly: the shortest text of a double is what stood in the answer. */
function numberIn(fields: Fields, name: string): bigint | undefined {
  const value = fields[name];
  if (typeof value !== "number") return undefined;
  if (Math.abs(value) < 0.001) return 0n;
  const [, sign = "", whole, fraction = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(String(value)) ?? [];
  return whole === undefined ? LIMIT : BigInt(`${sign}${whole}${fraction.padEnd(3, "0").slice(0, 3)}`);
}

/** Undefined where one is. */
const sumOf = (numbers: readonly (bigint | undefined)[]): bigint | undefined =>
  numbers.reduce((sum, each) => (sum === undefined || each === undefined ? undefined : sum + each), 0n);

const measured = (value: bigint | undefined): number | undefined =>
  value !== undefined && value >= 0n && value < NOT_MEASURED ? Number(value) : undefined;
