/** Public URLs: what stands under them, and whether it is what was put there. */
import { equal } from "../../protocol/index.ts";

/** ms; the DON waits 9 s */
const TIMEOUT = 9000;

/** Where a batch stands under a base URL, as the DON fetches it. */
export const batchUrl = (base: string, digest: string): string =>
  new URL(batchPath(digest), base.endsWith("/") ? base : `${base}/`).href;

export const batchPath = (digest: string): string => `batches/${digest}`;

/** Why these bytes cannot be fetched from a URL; nothing where they can. */
export async function whyNotServed(url: string, bytes: Uint8Array): Promise<string | undefined> {
  const served = await fetchUpTo(url, bytes.length);
  if (!served.ok) return served.reason;
  return served.bytes && equal(served.bytes, bytes) ? undefined : `${url} serves other bytes`;
}

/** What a URL serves, where that is not longer than `most`, or why it serves nothing; with 429 or 503 when to come back. */
export type Fetched =
  | { ok: true; bytes: Uint8Array | undefined }
  | { ok: false; reason: string; retryAfter?: number | undefined };

export async function fetchUpTo(url: string, most: number): Promise<Fetched> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT) });
    const bytes = await readUpTo(response, most);
    if (response.ok) return { ok: true, bytes };
    return { ok: false, reason: `${url} answers ${response.status}`, retryAfter: retryAfterOf(response) };
  } catch (error) {
    return { ok: false, reason: `${url} does not answer: ${whyNotFetched(error)}` };
  }
}

/** s */
function retryAfterOf({ status, headers }: Response): number | undefined {
  const text = headers.get("retry-after") ?? "";
  return [429, 503].includes(status) && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** The body; nothing where it is longer. */
async function readUpTo(response: Response, length: number): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let read = 0;
  for await (const part of (response.body ?? []) as unknown as AsyncIterable<Uint8Array>) {
    read += part.length;
    // leaving the loop ends the request
    if (read > length) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** fetch says the reason in its error's cause. */
export const whyNotFetched = (error: unknown): string => {
  const { name, message, cause } = error as Error & { cause?: NodeJS.ErrnoException };
  return name === "TimeoutError" ? "no answer in time" : (cause?.code ?? cause?.message ?? message);
};
