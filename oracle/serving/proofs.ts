/** One reading with what proves it: under the newest head that the device signed, and under the log that is settled. */
import { equal, fromHex, inclusionProof, toHex } from "../../protocol/index.ts";
import { type Refusal, refusal } from "../accepting/refusal.ts";
import type { Follower, KnownMark } from "../chain/follower.ts";
import { withHashes } from "../store/hashes.ts";
import type { Store, StoredHead, StoredLog } from "../store/store.ts";

/** What of the oracle a proof is made from. */
export type Sources = { store: Pick<Store, "logs">; follower: Pick<Follower, "meterOf" | "marksOf"> };

/** `reading` is the last under the head, whose signature is over it. */
type Signed = { size: number; reading: string; root: string; signature: string; proof: string[] };
type Settled = { size: number; root: string; proof: string[]; mark?: KnownMark };

export type ProvenReading = {
  keyId: string;
  epoch: number;
  index: number;
  reading: string;
  signed: Signed;
  /** absent = not on chain yet */
  settled?: Settled;
};

export async function provenReading(
  { store, follower }: Sources,
  keyId: string,
  epoch: number,
  index: number,
): Promise<{ ok: true; value: ProvenReading } | { ok: false; refusal: Refusal }> {
  const log = await store.logs.get(keyId, epoch);
  if (!log) return { ok: false, refusal: refusal("unknown log", "nothing of this log is stored here") };
  const { size, newestHead: head } = log;
  // asked of the log itself, an index beyond it is a file that is not there
  const [reading] = index < size ? await log.readings(index, index + 1) : [];
  if (!head || !reading) {
    return { ok: false, refusal: refusal("unknown reading", "this log has no such reading", { index, size }) };
  }
  const signed = await signedProof(log, head, index);
  const settled = await settledProof(follower, log, index);
  return { ok: true, value: { keyId, epoch, index, reading: toHex(reading), signed, ...(settled && { settled }) } };
}

const proof = async (log: StoredLog, index: number, size: number): Promise<string[]> =>
  (await withHashes(log.hashOf, (range) => inclusionProof(range, index, size))).map(toHex);

async function signedProof(log: StoredLog, { size, reading, signature }: StoredHead, index: number): Promise<Signed> {
  return {
    size,
    reading: toHex(reading),
    root: toHex(await log.hashOf(0, size)),
    signature: toHex(signature),
    proof: await proof(log, index, size),
  };
}

/** Under the settled log, if it reaches to this reading and is the one stored here. */
async function settledProof(
  follower: Sources["follower"],
  log: StoredLog,
  index: number,
): Promise<Settled | undefined> {
  const settled = follower.meterOf(log.keyId)?.logs[log.epoch];
  if (!settled || index >= settled.size || settled.size > log.size) return undefined;
  if (!equal(await log.hashOf(0, settled.size), fromHex(settled.root))) return undefined;
  const mark = (await follower.marksOf(log.keyId, log.epoch)).find(({ size }) => index < size);
  return { ...settled, proof: await proof(log, index, settled.size), ...(mark && { mark }) };
}
