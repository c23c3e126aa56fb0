/** What the oracle answers, as far as the page shows it. Energies are decimal mWh or numbers in Wh, times Unix seconds. */
import { ORACLE, ZONE } from "../settings.ts";

export type TimeFrame = "hour" | "day" | "week" | "month" | "year";
export const TIME_FRAMES: readonly TimeFrame[] = ["hour", "day", "week", "month", "year"];

export type Period = { start: number; end: number };
export type Status = "none" | "active" | "frozen" | "superseded" | "decommissioned";

/** A key of a meter at a glance. */
export type Glance = {
  key_id: string;
  meter_id: string;
  name: string | null;
  status: Status;
  successor: string | null;
  owner: string;
  /** W */
  capacity: number;
  last_boot_timestamp: number | null;
  since: number | null;
  stored: number;
  epoch: number | null;
  size: number;
  last: string | null;
  settled: { epoch: number; size: number; timestamp: number };
  today_mwh: string | null;
  month_mwh: string | null;
  total_mwh: string | null;
  minted_mwh: string;
};

export type Overview = {
  now: number;
  day: Period;
  month: Period;
  chain_id: number;
  registry: string;
  watt_witness: string | null;
  block: number;
  obstacles: string[];
  meters: Glance[];
};

export type Mark = {
  epoch: number;
  fromSize: number;
  size: number;
  produced: string;
  attestation?: string;
  transaction: string;
  block: number;
  confirmed: boolean;
};
export type MeterAnswer = { owner: string; source: number; details: string; settlements: Mark[] };

export type ChartAnswer = {
  data_points: { label: string; timestamp: number; value: number | null }[];
  /** Wh */
  total_energy: number;
};
export type PowerAnswer = Period & { data_points: { timestamp: number; power_w: number | null }[] };

export type Row = {
  epoch: number;
  index: number;
  power_w: number;
  total_wh: number;
  timestamp: number;
  conditions: number;
  is_on_chain: boolean;
  blockchain_tx_hash: string | null;
  blockchain_block_number: number | null;
};

/** The oracle's own word for why not, or `unreachable`. */
export class Unanswered extends Error {
  readonly status: number | undefined;
  constructor(status: number | undefined, detail: string) {
    super(detail);
    this.status = status;
  }
}

async function ask<T>(path: string, signal?: AbortSignal): Promise<T> {
  const init = { headers: { accept: "application/json" }, ...(signal && { signal }) };
  const response = await fetch(new URL(path, ORACLE), init).catch((error: Error) => {
    throw signal?.aborted ? error : new Unanswered(undefined, error.message);
  });
  if (response.ok) return response.json() as Promise<T>;
  const problem = (await response.json().catch(() => ({}))) as { detail?: string };
  throw new Unanswered(response.status, problem.detail ?? response.statusText);
}

const zone = `time_zone=${encodeURIComponent(ZONE)}`;
const framed = (frame: TimeFrame, at: number) => `time_frame=${frame}&${zone}&timestamp=${at}`;

export const api = {
  overview: (signal?: AbortSignal) => ask<Overview>(`api/v1/overview?${zone}`, signal),
  meter: (keyId: string, signal?: AbortSignal) => ask<MeterAnswer>(`meters/${keyId}`, signal),
  /** Energy, Wh, by the calendar of the viewer's zone. */
  chart: (keyId: string, frame: TimeFrame, at: number, signal?: AbortSignal) =>
    ask<ChartAnswer>(`api/v1/readings/${keyId}/chart?${framed(frame, at)}`, signal),
  power: (keyId: string, frame: TimeFrame, at: number, signal?: AbortSignal) =>
    ask<PowerAnswer>(`api/v1/readings/${keyId}/power?${framed(frame, at)}`, signal),
  /** Newest first. */
  readings: (keyId: string, limit: number, signal?: AbortSignal) =>
    ask<Row[]>(`api/v1/readings/${keyId}?limit=${limit}`, signal),
  proof: (keyId: string, epoch: string, index: string, signal?: AbortSignal) =>
    ask<Record<string, unknown>>(`api/v1/readings/${keyId}/${epoch}/${index}/proof`, signal),
};

/** Where everything that happens is told. */
export const STREAM = new URL("api/v1/stream", ORACLE).href;
