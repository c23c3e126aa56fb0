/** Asks the oracle. */
import { ORACLE, ZONE } from "../settings.ts";
import type { Application, ChartAnswer, MeterAnswer, Overview, PowerAnswer, Row, TimeFrame } from "./answers.ts";

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
  registrations: (signal?: AbortSignal) => ask<{ registrations: Application[] }>("registrations", signal),
  proof: (keyId: string, epoch: string, index: string, signal?: AbortSignal) =>
    ask<Record<string, unknown>>(`api/v1/readings/${keyId}/${epoch}/${index}/proof`, signal),
};

/** Where everything that happens is told. */
export const STREAM = new URL("api/v1/stream", ORACLE).href;
