/**
 * Copies what one store keeps to another. What is there already is not copied again, so one that was interrupted goes on,
 * and one that is repeated brings over what came meanwhile.
 *
 * How full the capacity bucket is is kept of a log's newest head only: until a log is copied whole it has an empty one. No
 * oracle runs on the other store before that.
 */
import { equal } from "../../protocol/index.ts";
import type { Job } from "../settling/jobs.ts";
import type { Store, StoredLog } from "../store/store.ts";
import { keysOf } from "./verifying.ts";

export type Copied = { logs: number; readings: number; batches: number; records: number };
/** A problem is a sentence: the stores have different readings in one place. */
export type Copying = { ok: true; copied: Copied } | { ok: false; problem: string; copied: Copied };

/** `progress` is told how many readings are behind it, copied now or before. */
export async function copyStore(
  from: Store,
  to: Store,
  progress: (readings: number) => void = () => {},
): Promise<Copying> {
  const copied: Copied = { logs: 0, readings: 0, batches: 0, records: 0 };
  let done = 0;
  for await (const keyId of keysOf(from)) {
    for (const log of await from.logs.of(keyId)) {
      const problem = await copyLog(log);
      if (problem !== undefined) return { ok: false, problem, copied };
      copied.logs += 1;
    }
  }
  await copyBatches();
  const [names, others] = [await from.names(), await to.names()];
  for (const name of new Set([...names.records, ...others.records])) await copyRecords(name);
  for (const name of names.documents) await copyDocument(name);
  return { ok: true, copied };

  async function copyLog(log: StoredLog): Promise<string | undefined> {
    const { keyId, epoch } = log;
    const copy = await to.logs.open(keyId, epoch);
    const differs = `The two stores have different readings in the log of key ${keyId} in epoch ${epoch}: nothing more is copied.`;
    if (copy.size > log.size) return differs;
    if (copy.size > 0 && !equal(copy.rootWith([]), await log.hashOf(0, copy.size))) return differs;
    done += copy.size;
    const { size, bucket } = log;
    for (const head of await log.headsAfter(copy.size)) {
      const readings = await log.readings(copy.size, head.size);
      const isStored = await copy.append(readings, head.signature, head.size === size ? bucket : 0n);
      if (!isStored) return differs;
      copied.readings += readings.length;
      done += readings.length;
      progress(done);
    }
    return undefined;
  }

  async function copyBatches(): Promise<void> {
    for (const name of ["jobs", "jobs-finished"]) {
      for (const { digest } of await (await from.records<Job>(name)).all()) {
        const bytes = (await to.batches.get(digest)) ? undefined : await from.batches.get(digest);
        if (!bytes) continue;
        await to.batches.put(bytes);
        copied.batches += 1;
      }
    }
  }

  /** A record that is gone here goes there, too. */
  async function copyRecords(name: string): Promise<void> {
    const [source, copy] = [await from.records(name), await to.records(name)];
    const ids = await source.ids();
    for (const id of ids) {
      const record = await source.get(id);
      if (!record) continue;
      await copy.put(id, record);
      copied.records += 1;
    }
    for (const id of await copy.ids()) if (!ids.includes(id)) await copy.remove(id);
  }

  async function copyDocument(name: string): Promise<void> {
    const { data } = await from.document<object>(name, {});
    const copy = await to.document<object>(name, {});
    copy.data = data;
    await copy.write();
  }
}
