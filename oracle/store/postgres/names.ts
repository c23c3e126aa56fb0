/** How rows name logs, and what is said of rows that are not as they were written. */
import { fromHex } from "../../../protocol/index.ts";
import { StoreDamaged } from "../store.ts";

export type LogName = { keyId: string; epoch: number };

export const keyBytes = (keyId: string): Buffer => Buffer.from(fromHex(keyId));

export const nameOf = ({ keyId, epoch }: LogName): string => `${keyId}/${epoch}`;

/** `what` names the rows. */
export const damaged = (what: string, { keyId, epoch }: LogName, why: string): StoreDamaged =>
  new StoreDamaged(`In the database ${what} of key ${keyId} in epoch ${epoch} are damaged: ${why}.`);
