/** What there is of a stored log in the formats of transparency logs. */
import { inclusionProof, type Place } from "../../protocol/index.ts";
import { withHashes } from "../store/hashes.ts";
import type { Store, StoredHead, StoredLog } from "../store/store.ts";
import { checkpointOf, deviceKeyOf, oracleKeyOf, originOf } from "./checkpoint.ts";
import { generateKeptKey, type KeptKey, type NoteKey, noteKeyFrom, vkeyOf } from "./note.ts";
import { tlogProof } from "./proof.ts";
import type { TileSpan } from "./tiles.ts";

const KEY = "checkpoints";

/** The oracle's own key, made at the first start and kept from then on. */
export async function keptNoteKey(store: Pick<Store, "records">): Promise<NoteKey> {
  const keys = await store.records<KeptKey>("keys");
  // of oracles that share a store the first to start makes it for all
  if (!(await keys.get(KEY))) await keys.add(KEY, generateKeptKey());
  return noteKeyFrom((await keys.get(KEY)) as KeptKey);
}

/** Whose log it is, and who serves it. */
export type Signers = { place: Place; devicePublicKey: Uint8Array; oracleKey: NoteKey };

/** A head as a checkpoint. */
export async function checkpointOfLog(log: StoredLog, head: StoredHead, signers: Signers): Promise<string> {
  const root = await log.hashOf(0, head.size);
  const origin = originOf(signers.place, log.keyId, log.epoch);
  return checkpointOf(origin, { ...head, root }, signers.devicePublicKey, signers.oracleKey);
}

/** Who signs its checkpoints: the device's verifier key and the oracle's, a line each. */
export function vkeysOfLog({ keyId, epoch }: StoredLog, { place, devicePublicKey, oracleKey }: Signers): string {
  const origin = originOf(place, keyId, epoch);
  return [deviceKeyOf(origin, devicePublicKey), oracleKeyOf(origin, oracleKey)]
    .map((key) => `${vkeyOf(key)}\n`)
    .join("");
}

/** One reading's proof under the newest head, as a file; nothing where there is no such reading. */
export async function proofOfReading(log: StoredLog, index: number, signers: Signers): Promise<string | undefined> {
  const head = log.newestHead;
  if (!head || index >= head.size) return undefined;
  const [reading] = await log.readings(index, index + 1);
  const proof = await withHashes(log.hashOf, (range) => inclusionProof(range, index, head.size));
  return tlogProof(reading as Uint8Array, index, proof, await checkpointOfLog(log, head, signers));
}

/** Hashes or readings of a tile; nothing where the log has fewer. */
export const bytesOfTile = (log: StoredLog, { kind, index, width }: TileSpan): Promise<Uint8Array | undefined> =>
  kind === "entries" ? log.entries(index, width) : log.tile(kind, index, width);
