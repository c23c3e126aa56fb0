/**
 * Where readings may be: a folder or a URL with `batches/<digest>` and `tlog/<key id>/<epoch>/…` below it, as an oracle serves
 * and publishes them. Nothing that comes from there is believed.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Hex } from "viem";

export type Place = {
  readonly name: string;
  /** Undefined where there is nothing, or more than `limit` bytes, or it cannot be had. The bytes are the caller's to keep. */
  get(path: string, limit: number): Promise<Uint8Array | undefined>;
  /** Names in a folder; of a URL, which cannot be looked through, none. */
  list(path: string): Promise<string[]>;
};

export const placeOf = (text: string): Place => (/^https?:\/\//.test(text) ? urlPlace(text) : folderPlace(text));

export function folderPlace(folder: string): Place {
  return {
    name: folder,
    async get(path, limit) {
      const file = join(folder, path);
      const size = await stat(file).then(
        (found) => (found.isFile() ? found.size : undefined),
        () => undefined,
      );
      return size === undefined || size > limit ? undefined : readFile(file).catch(() => undefined);
    },
    list: (path) => readdir(join(folder, path)).catch(() => []),
  };
}

/** ms that an answer may take */
const PATIENCE = 30_000;
/** How often a busy place is asked again where it says when, and s that it may keep one waiting. */
const [ATTEMPTS, WAIT] = [5, 60];

export function urlPlace(url: string): Place {
  const base = url.endsWith("/") ? url : `${url}/`;
  async function get(path: string, limit: number, attempt = 1): Promise<Uint8Array | undefined> {
    const response = await fetch(new URL(path, base), { signal: AbortSignal.timeout(PATIENCE) });
    if (response.ok) return bodyOf(response, limit);
    await response.body?.cancel();
    const after = Number(response.headers.get("retry-after") ?? "1");
    if (![429, 503].includes(response.status) || attempt === ATTEMPTS || !(after <= WAIT)) return undefined;
    await delay(after * 1000);
    return get(path, limit, attempt + 1);
  }
  return {
    name: url,
    get: (path, limit) => get(path, limit).catch(() => undefined),
    list: async () => [],
  };
}

async function bodyOf({ body }: Response, limit: number): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of (body ?? []) as unknown as AsyncIterable<Uint8Array>) {
    length += part.length;
    // leaving the loop ends the request
    if (length > limit) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

export const batchPath = (digest: Hex): string => `batches/${digest}`;
export const isDigest = (name: string): name is Hex => /^0x[0-9a-f]{64}$/.test(name);
