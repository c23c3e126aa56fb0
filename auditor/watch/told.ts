/** What a place says of a log: its newest head, nothing, or no answer at all. Nothing of it is believed. */
import { stat } from "node:fs/promises";
import type { Hex } from "viem";
import type { Place } from "../evidence/places.ts";
import { CHECKPOINT_LIMIT, type Checkpoint, checkpointIn, logPath } from "../evidence/tiles.ts";

/** ms that an answer may take */
const PATIENCE = 30_000;
const JSON_LIMIT = 4_000_000;

const isUrl = (name: string): boolean => /^https?:\/\//.test(name);

export type Told = { is: "head"; head: Checkpoint } | { is: "nothing" } | { is: "no answer" } | { is: "no head" };

export async function headAt(place: Place, keyId: Hex, epoch: number): Promise<Told> {
  const path = `${logPath(keyId, epoch)}/checkpoint`;
  const bytes = await place.get(path, CHECKPOINT_LIMIT);
  if (!bytes) return { is: (await isWithout(place, path)) ? "nothing" : "no answer" };
  const head = checkpointIn(new TextDecoder().decode(bytes));
  return head ? { is: "head", head } : { is: "no head" };
}

/** Whether it says that there is nothing, which is another thing than to say nothing. */
async function isWithout(place: Place, path: string): Promise<boolean> {
  if (!isUrl(place.name)) return answers(place);
  const status = await statusOf(place, path);
  return status === 404 || status === 410;
}

/** A folder that is there, or a server that says anything but that it cannot. */
export async function answers(place: Place): Promise<boolean> {
  if (!isUrl(place.name))
    return stat(place.name)
      .then((found) => found.isDirectory())
      .catch(() => false);
  const status = await statusOf(place, "");
  return status !== undefined && status < 500;
}

async function statusOf({ name }: Place, path: string): Promise<number | undefined> {
  try {
    const url = new URL(path, name.endsWith("/") ? name : `${name}/`);
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
    await response.body?.cancel();
    return response.status;
  } catch {
    return undefined;
  }
}

/** Epochs of a key that it knows of; of a static host none. */
export async function epochsAt(place: Place, keyId: Hex): Promise<number[]> {
  const listed = (await place.list(`tlog/${keyId}`)).map(Number);
  const told = (await jsonAt(place, `meters/${keyId}`)) as { logs?: unknown } | undefined;
  const logs = Array.isArray(told?.logs) ? told.logs : [];
  const epochs = [...listed, ...logs.map((log) => Number((log as { epoch?: unknown } | null)?.epoch))];
  return epochs.filter((epoch) => Number.isSafeInteger(epoch) && epoch >= 0 && epoch < 2 ** 32);
}

export async function jsonAt(place: Place, path: string): Promise<unknown> {
  const bytes = isUrl(place.name) ? await place.get(path, JSON_LIMIT) : undefined;
  try {
    return bytes && JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
