/**
 * What the page knows of all meters, kept up to date by the oracle's stream of events. Nothing is polled: it asks again
 * where the stream says that something was missed, after a connection came back, and when a day is over.
 */
import { batch, computed, signal } from "@preact/signals";
import { fromHex } from "../../../protocol/bytes.ts";
import { decodeReading, type Reading } from "../../../protocol/reading.ts";
import type { Glance, Overview } from "./answers.ts";
import { api, STREAM, Unanswered } from "./api.ts";
import { type State, stateOf } from "./health.ts";

/** Energies in Wh; null = nothing was read yet. */
export type Meter = {
  keyId: string;
  name: string | null;
  /** what it is called: its name, or the beginning of its key id */
  title: string;
  glance: Glance;
  reading: Reading | undefined;
  epoch: number | null;
  size: number;
  today: number | null;
  month: number | null;
  total: number | null;
  minted: number;
  settled: Glance["settled"];
};
export type Facts = Omit<Overview, "meters" | "now">;
export type Connection = "connecting" | "live" | "lost";
type ReadingEvent = { key_id: string; epoch: number; size: number; count: number; reading: string };
type SettlementEvent = { key_id: string; epoch: number; size: number; produced_mwh: string };

/** ms between two changes of what is shown */
const FLUSH = 250;
/** ms before a stream that the browser gave up is tried again */
const RETRY = 3000;

export const meters = signal<ReadonlyMap<string, Meter> | undefined>(undefined);
export const facts = signal<Facts | undefined>(undefined);
export const failure = signal<Unanswered | undefined>(undefined);
export const connection = signal<Connection>("connecting");
/** the oracle's clock, Unix time (s) */
export const now = signal(0);
/** counts up with what happened to each key */
export const happened = signal<{ keyId: string; kind: "reading" | "settlement"; count: number }>({
  ...{ keyId: "", kind: "reading", count: 0 },
});

/** mWh in decimal as Wh */
const inWh = (text: string | null): number | null => (text === null ? null : Number(text) / 1000);
const shortOf = (keyId: string): string => `${keyId.slice(0, 8)}…${keyId.slice(-4)}`;

function readingIn(text: string | null): Reading | undefined {
  if (text === null) return undefined;
  const reading = decodeReading(fromHex(text as `0x${string}`));
  return reading.ok ? reading.value : undefined;
}

const meterOf = (glance: Glance): Meter => ({
  ...{ keyId: glance.key_id, name: glance.name, title: glance.name ?? shortOf(glance.key_id), glance },
  ...{ reading: readingIn(glance.last), epoch: glance.epoch, size: glance.size, settled: glance.settled },
  ...{ today: inWh(glance.today_mwh), month: inWh(glance.month_mwh), total: inWh(glance.total_mwh) },
  minted: Number(glance.minted_mwh) / 1000,
});

/** How a meter is, as of now. */
export function stateNow(meter: Meter): State {
  const { glance, reading, settled, epoch, size } = meter;
  const isAhead = reading !== undefined && (epoch !== settled.epoch || size > settled.size);
  return stateOf(
    {
      status: glance.status,
      timestamp: reading?.timestamp,
      conditions: reading?.conditions ?? 0,
      ...{ settled: settled.timestamp, isAhead },
    },
    now.value,
  );
}

/** W; what a meter that went silent said last is no power now. */
export function powerNow(meter: Meter): number | null {
  const { reading } = meter;
  if (!reading || now.value - reading.timestamp > 1200 || meter.glance.status !== "active") return null;
  return Number(reading.power) / 1000;
}

const list = computed(() => [...(meters.value?.values() ?? [])]);
const sum = (values: (number | null)[]): number | null =>
  values.every((value) => value === null) ? null : values.reduce<number>((all, value) => all + (value ?? 0), 0);

export const totals = computed(() => ({
  power: sum(list.value.map(powerNow)),
  today: sum(list.value.map(({ today }) => today)),
  month: sum(list.value.map(({ month }) => month)),
  total: sum(list.value.map(({ total }) => total)),
  minted: sum(list.value.map(({ minted }) => minted)),
}));

/** Asked for again while it is being asked for: once more, afterwards. */
let asking: { again: boolean } | undefined;

export async function refresh(): Promise<void> {
  if (asking) {
    asking.again = true;
    return;
  }
  asking = { again: false };
  try {
    const { meters: glances, now: time, ...rest } = await api.overview();
    batch(() => {
      meters.value = new Map(glances.map((glance) => [glance.key_id, meterOf(glance)]));
      facts.value = rest;
      now.value = time;
      failure.value = undefined;
    });
  } catch (error) {
    failure.value = error instanceof Unanswered ? error : new Unanswered(undefined, String(error));
  }
  const { again } = asking;
  asking = undefined;
  if (again) await refresh();
}

const changes = new Map<string, Meter>();
const events: { keyId: string; kind: "reading" | "settlement" }[] = [];
let flushing: ReturnType<typeof setTimeout> | undefined;

function change(keyId: string, kind: "reading" | "settlement", to: (meter: Meter) => Meter): void {
  const meter = changes.get(keyId) ?? meters.value?.get(keyId);
  // one that was registered since
  if (!meter) return void refresh();
  changes.set(keyId, to(meter));
  events.push({ keyId, kind });
  if (flushing === undefined) flushing = setTimeout(flush, FLUSH);
}

function flush(): void {
  flushing = undefined;
  batch(() => {
    const newest = [...changes.values()].reduce((time, { reading }) => Math.max(time, reading?.timestamp ?? 0), 0);
    meters.value = new Map([...(meters.value ?? []), ...changes]);
    now.value = Math.max(now.value, newest);
  });
  changes.clear();
  for (const event of events.splice(0)) happened.value = { ...event, count: happened.value.count + 1 };
  const { day } = facts.value ?? {};
  if (day && now.value >= day.end) void refresh();
}

function takeReading({ key_id, epoch, size, reading: text }: ReadingEvent): void {
  const reading = readingIn(text);
  if (!reading) return;
  change(key_id, "reading", (meter) => {
    const before = meter.reading;
    // of the first nothing is counted, and where a register was lost counting goes on from the new one's
    const rise = before && reading.energy > before.energy ? Number(reading.energy - before.energy) / 1000 : 0;
    const raised = (value: number | null) => (value ?? 0) + rise;
    const { today, month, total } = meter;
    return {
      ...{ ...meter, reading, epoch, size },
      ...{ today: raised(today), month: raised(month), total: raised(total) },
    };
  });
}

function takeSettlement({ key_id, epoch, size, produced_mwh }: SettlementEvent): void {
  // what stood in the way may be over
  if (facts.value && facts.value.obstacles.length > 0) void refresh();
  change(key_id, "settlement", (meter) => ({
    ...meter,
    minted: meter.minted + Number(produced_mwh) / 1000,
    settled: { epoch, size, timestamp: size === meter.size ? (meter.reading?.timestamp ?? 0) : now.value },
  }));
}

/** Listens from now on. */
export function listen(): void {
  const stream = new EventSource(STREAM);
  const take = <T>(kind: string, act: (data: T) => void) =>
    stream.addEventListener(kind, ({ data }) => act(JSON.parse(data) as T));
  take("reading", takeReading);
  take("settlement", takeSettlement);
  take("missed", () => void refresh());
  stream.onopen = () => {
    if (connection.value === "lost" || failure.value) void refresh();
    connection.value = "live";
  };
  stream.onerror = () => {
    connection.value = "lost";
    if (stream.readyState !== EventSource.CLOSED) return;
    setTimeout(listen, RETRY);
  };
}

/** Time passes while nothing is told. */
export function tick(): void {
  let last = Date.now();
  setInterval(() => {
    const passed = Math.round((Date.now() - last) / 1000);
    last += passed * 1000;
    if (now.value > 0) now.value += passed;
  }, 5000);
}
