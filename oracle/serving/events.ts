/**
 * What happens in the oracle, told to whoever listens: numbered, with the newest kept so that a listener who was away can
 * go on. Of several oracles on one store each tells what it saw itself.
 */
import { randomBytes } from "node:crypto";

/** Events kept for who was away. */
const KEPT = 1000;

export type EventKind = "reading" | "settlement" | "attestation" | "equivocation" | "refusal";
export type OracleEvent = { id: string; kind: EventKind; data: Record<string, string | number> };
type Listener = (event: OracleEvent) => void;

export type Events = {
  publish(kind: EventKind, data: OracleEvent["data"]): void;
  /** What came after `id`; `complete` where nothing of it is missing. Without an id, nothing. */
  since(id: string | undefined): { events: OracleEvent[]; complete: boolean };
  /** Returns how to stop listening. */
  subscribe(listener: Listener): () => void;
};

/** `run` names this run of the oracle, so that numbers of another are not taken for its own. */
export function createEvents({ kept = KEPT, run = randomBytes(4).toString("hex") } = {}): Events {
  const ring: OracleEvent[] = [];
  const listeners = new Set<Listener>();
  let count = 0;

  return {
    publish(kind, data) {
      count += 1;
      const event = { id: `${run}-${count}`, kind, data };
      ring[(count - 1) % kept] = event;
      for (const listener of listeners) listener(event);
    },
    since(id) {
      if (id === undefined) return { events: [], complete: true };
      const [of, text = ""] = id.split("-");
      const seen = of === run && /^\d{1,15}$/.test(text) && Number(text) <= count ? Number(text) : undefined;
      const first = Math.max(seen ?? 0, count - kept);
      const events = Array.from({ length: count - first }, (_, i) => ring[(first + i) % kept] as OracleEvent);
      return { events, complete: seen === first };
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
