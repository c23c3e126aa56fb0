/**
 * Devices that told two stories: two heads of one log, both signed, of which neither extends the other. Both are kept with
 * all that WattWitness.proveEquivocation takes, before the post that showed it is answered.
 *
 * Who posts what the key did not sign leaves nothing behind, and of a log one equivocation is kept: it freezes the key, and
 * another would do no more.
 */
import type { Logger } from "pino";
import { type Equivocation, equivocationOf, type Story } from "../../contracts/equivocation.ts";
import {
  encodeHead,
  equal,
  fromHex,
  type Hash,
  inclusionProof,
  READING_LENGTH,
  SIGNATURE_LENGTH,
  verify,
} from "../../protocol/index.ts";
import { type StoredRangeHash, withHashes } from "../store/hashes.ts";
import { hashLeaf, hashNode } from "../store/hashing.ts";
import type { Records, StoredLog } from "../store/store.ts";

/** `seenAt`: Unix time, s. */
export type KeptEquivocation = { keyId: string; epoch: number; seenAt: number; equivocation: Equivocation };

/** Readings `size - readings.length` to `size` of a log, as the bytes that arrived, under the signature that came with them. */
export type Told = { size: number; readings: readonly Uint8Array[]; signature: Uint8Array };

export type Equivocations = {
  /** Keeps both heads where the key of a log signed what was told, and it contradicts what is stored. */
  witness(log: StoredLog, publicKey: string, told: Told): Promise<void>;
  get(keyId: string, epoch: number): Promise<KeptEquivocation | undefined>;
  list(): Promise<KeptEquivocation[]>;
  count(): Promise<number>;
};

export async function createEquivocations({
  records,
  headDomain,
  now,
  logger,
  onKept,
}: {
  records: Records<KeptEquivocation>;
  headDomain: Uint8Array;
  /** Unix time, s */
  now: () => number;
  logger: Logger;
  onKept: (kept: KeptEquivocation) => void;
}): Promise<Equivocations> {
  /** ids of those that are known to be kept: another oracle may have kept more */
  const known = new Set(await records.ids());

  async function keep(id: string, kept: KeptEquivocation): Promise<void> {
    const isNew = await records.add(id, kept);
    known.add(id);
    if (!isNew) return;
    const { keyId, epoch, equivocation } = kept;
    const sizes = { first: equivocation.first.size, second: equivocation.second.size };
    logger.error({ keyId, epoch, ...sizes }, "a device told two stories of one log: both heads are kept");
    onKept(kept);
  }

  return {
    async witness(log, publicKey, told) {
      const { keyId, epoch } = log;
      const id = idOf(keyId, epoch);
      if (known.has(id)) return;
      const equivocation = await contradiction(log, fromHex(publicKey), told, headDomain);
      if (equivocation) await keep(id, { keyId, epoch, seenAt: now(), equivocation });
    },
    get: (keyId, epoch) => records.get(idOf(keyId, epoch)),
    list: () => records.all(),
    count: async () => (await records.ids()).length,
  };
}

const idOf = (keyId: string, epoch: number): string => `${keyId}-${epoch}`;

/** The stored head and the one that was told of, where both are signed and differ in a reading that both cover. */
async function contradiction(
  log: StoredLog,
  publicKey: Uint8Array,
  { size, readings, signature }: Told,
  headDomain: Uint8Array,
): Promise<Equivocation | undefined> {
  const stored = log.newestHead;
  const start = size - readings.length;
  if (!stored || start < 0 || readings.some(({ length }) => length !== READING_LENGTH)) return undefined;
  const known = await log.readings(start, Math.min(size, stored.size));
  const at = known.findIndex((reading, i) => !equal(reading, readings[i] as Uint8Array));
  if (at === -1 || signature.length !== SIGNATURE_LENGTH) return undefined;

  const { epoch } = log;
  const hashOf = hashesOfOther(log, start, readings);
  const head = { epoch, size, reading: readings.at(-1) as Uint8Array, root: await hashOf(0, size) };
  if (!(await verify(encodeHead(headDomain, head), signature, publicKey)).ok) return undefined;

  const index = start + at;
  const own = { ...stored, epoch, root: await log.hashOf(0, stored.size) };
  const proofIn = (hashes: StoredRangeHash, inSize: number) =>
    withHashes(hashes, (range) => inclusionProof(range, index, inSize));
  const stories: [Story, Story] = [
    {
      ...{ head: own, signature: stored.signature, reading: known[at] as Uint8Array },
      proof: await proofIn(log.hashOf, stored.size),
    },
    { head, signature, reading: readings[at] as Uint8Array, proof: await proofIn(hashOf, size) },
  ];
  return equivocationOf(publicKey, index, stories);
}

/** Hashes of the log that is the stored one up to `start`, and goes on with `readings`. */
function hashesOfOther(log: StoredLog, start: number, readings: readonly Uint8Array[]): StoredRangeHash {
  const hashOf = async (from: number, to: number): Promise<Hash> => {
    if (to <= start) return log.hashOf(from, to);
    if (to - from === 1) return hashLeaf(readings[from - start] as Uint8Array);
    const middle = from + 2 ** Math.floor(Math.log2(to - from - 1));
    return hashNode(await hashOf(from, middle), await hashOf(middle, to));
  };
  return hashOf;
}
