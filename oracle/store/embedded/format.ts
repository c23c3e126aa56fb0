/**
 * Which format a folder is of: a number in `oracle.format`. An oracle takes over what an earlier one kept, and leaves alone what
 * a newer one did. A folder without it is of the time before it was written.
 */
import { join } from "node:path";
import { StoreDamaged } from "../store.ts";
import { jsonFile } from "./durable.ts";

/** Counted up when what stands in a folder cannot be read by the oracles before. */
export const FORMAT = 1;

/** Says of a folder that it is of this format; or why not, in a sentence, where it is of a newer one. */
export async function markFormat(directory: string): Promise<string | undefined> {
  const path = join(directory, "oracle.format");
  const file = jsonFile<{ format: number }>(path);
  const format = (await file.read())?.format ?? 0;
  if (!Number.isSafeInteger(format)) throw new StoreDamaged(`${path} is damaged: it has no number of a format.`);
  if (format > FORMAT) {
    return `The data directory ${directory} is of format ${format}, and this oracle knows formats up to ${FORMAT}: run the newer oracle that wrote it, or restore a backup of before.`;
  }
  if (format < FORMAT) await file.write({ format: FORMAT });
  return undefined;
}
