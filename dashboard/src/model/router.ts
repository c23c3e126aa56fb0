/** Where the visitor is: `#/`, `#/meters/<key id>?frame=…&at=…`, `#/proof/<key id>/<epoch>/<index>`, … */
import { signal } from "@preact/signals";
import type { ReadingPlace } from "./answers.ts";

export type Place = { path: readonly string[]; query: URLSearchParams };

function placeIn(hash: string): Place {
  const [path = "", query] = hash.replace(/^#\/?/, "").split("?");
  return { path: path.split("/").filter(Boolean), query: new URLSearchParams(query) };
}

export const place = signal(placeIn(location.hash));
addEventListener("hashchange", () => {
  place.value = placeIn(location.hash);
});

export const meterLink = (keyId: string): string => `#/meters/${keyId}`;
export const certificateLink = (serial: number): string => `#/certificate/${serial}`;
/** Of what was counted between two readings. */
export const energyLink = (keyId: string, from: ReadingPlace, to: ReadingPlace): string =>
  `#/energy/${keyId}/${from.epoch}/${from.index}/${to.epoch}/${to.index}`;
export const proofLink = (keyId: string, epoch: number, index: number): string => `#/proof/${keyId}/${epoch}/${index}`;

/** Changes what the view is asked with, in its permanent link and without a step in the history. */
export function ask(changes: Record<string, string | undefined>): void {
  const { path, query } = place.value;
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) next.delete(name);
    else next.set(name, value);
  }
  const text = String(next);
  history.replaceState(null, "", `#/${path.join("/")}${text && `?${text}`}`);
  place.value = { path, query: next };
}
