/** A job: one batch on its way to the chain. All that has to be known after a crash is in it. */
import type { Hex, SignedTransaction } from "../chain/chain.ts";

/** Told to people; what is done next follows from the chain and from the transactions that were signed. */
export type Stage = "sealed" | "requested" | "attested" | "settling" | "settled" | "abandoned";

export type JobItem = {
  keyId: Hex;
  publicKey: Hex;
  epoch: number;
  /** settled size of the log that this item goes on from */
  settledSize: number;
  /** index at which its segment begins */
  from: number;
  /** of the head */
  size: number;
  /** of the head's reading: Unix time, s */
  timestamp: number;
  /** W, in its segment */
  capacity: number;
  /** place of its segment in the batch */
  segment: number;
};

/** Written before it is sent for the first time: sending it again cannot do it twice. */
export type Sent = SignedTransaction & {
  purpose: "request" | "settle";
  /** of the items that it settles, their segments' places */
  segments?: number[];
  /** Unix time it was sent first, s; absent in what an earlier version wrote */
  sentAt?: number;
  /** hashes of what was sent under the same nonce for a lower fee: any of them may be the one that gets into a block */
  replaced?: Hex[];
  /** the block it was last seen in */
  block?: number;
  /** Unix time it was first seen in a block, s */
  minedAt?: number;
  /** what it cost, wei in decimal; absent until it was seen in a block */
  fee?: string;
};

export type Job = {
  digest: Hex;
  root: Hex;
  /** whether the DON is asked; false: settled on the devices' signatures alone */
  attested: boolean;
  sealedBlock: number;
  /** of the attestation tree, in the order of the file */
  leaves: Hex[];
  items: JobItem[];
  stage: Stage;
  transactions: Sent[];
  /** Unix time at which somebody else was seen to have asked for its attestation, s */
  askedAt?: number;
  /** whether its batch was put where it is published, and fetched from every public URL since it was refused last */
  published?: boolean;
  /** refusals and reverts so far */
  attempts: number;
  /** Unix time before which nothing is tried again, s */
  retryAt: number;
  /** of the last refusal, or why it waits to be published */
  reason?: string;
};
