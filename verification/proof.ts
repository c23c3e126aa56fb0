/**
 * A proof of one reading as it is handed over: JSON of one shape, which is what an oracle answers to
 * `GET /logs/:keyId/:epoch/readings/:index`, what it answers to `GET /api/v1/readings/:id/:epoch/:index/proof`, and a
 * proof file.
 *
 *   keyId, epoch, index   whose log, and the reading's place in it
 *   reading               32 bytes
 *   signed                size, reading (the last), root, signature, proof: under a head that the device signed
 *   settled               size, root, proof: under the log as it is settled; absent = it is not, or not known
 *   settled.mark          the settlement that first covered it: epoch, fromSize, size, root, produced (mWh), attestation
 *                         (absent = none), transaction, block, confirmed (the oracle's own opinion: it is not judged)
 *   public_key            x ‖ y; absent = the chain says it
 *   chain_id, registry, watt_witness, head_domain   what the proof is for; absent or, of watt_witness, null = not said
 *   format                of a file: "WattWitness/1 proof"
 *
 * Bytes are `0x…` in lower case, addresses in any, energies decimal texts. Nothing else may be in it, and everything in it
 * is somebody's word until it is verified.
 */
import { fromHex, type Hash } from "../protocol/index.ts";

export const FORMAT = "WattWitness/1 proof";

export type Hex = `0x${string}`;

/** Under which head of a log: its size and root, and the inclusion proof (RFC 9162 §2.1.3), leaf to root. */
export type Inclusion = { size: number; root: Hash; proof: Hash[] };

export type Mark = {
  epoch: number;
  fromSize: number;
  size: number;
  root: Hash;
  /** mWh */
  produced: bigint;
  /** absent = settled on the device's signature alone */
  attestation?: Hash;
  transaction: Hash;
  block: number;
  confirmed: boolean;
};

export type ReadingProof = {
  keyId: Hash;
  epoch: number;
  index: number;
  reading: Uint8Array;
  /** `reading` is the last under the head */
  signed: Inclusion & { reading: Uint8Array; signature: Uint8Array };
  settled?: Inclusion & { mark?: Mark };
  publicKey?: Uint8Array;
  chainId?: number;
  registry?: Hex;
  wattWitness?: Hex;
  headDomain?: Hash;
};

/** Bad input is one sentence. */
export type Parsed<T> = { ok: true; value: T } | { ok: false; problem: string };

/** A path in a tree below 2^40 has at most 40 hashes. */
const PATH_LIMIT = 40;
const U32_MAX = 0xffff_ffff;

/** Thrown inside of this file only. */
class Malformed extends Error {}

type Fields = Record<string, unknown>;

/** A proof that is JSON, already parsed. */
export function proofFrom(json: unknown): Parsed<ReadingProof> {
  try {
    return { ok: true, value: readingProof(json) };
  } catch (error) {
    if (error instanceof Malformed) return { ok: false, problem: error.message };
    throw error;
  }
}

const PLACE_FIELDS = ["format", "chain_id", "registry", "watt_witness", "head_domain", "public_key"];

function readingProof(json: unknown): ReadingProof {
  const fields = object("", json, ["keyId", "epoch", "index", "reading", "signed"], ["settled", ...PLACE_FIELDS]);
  const { format, chain_id, registry, watt_witness, head_domain, public_key, settled } = fields;
  if (format !== undefined && format !== FORMAT) throw new Malformed(`format must be "${FORMAT}"`);
  return {
    keyId: bytes("keyId", fields["keyId"], 32),
    epoch: integer("epoch", fields["epoch"], U32_MAX),
    index: integer("index", fields["index"]),
    reading: bytes("reading", fields["reading"], 32),
    signed: signedFrom(fields["signed"]),
    ...(settled !== undefined && { settled: settledFrom(settled) }),
    ...(public_key !== undefined && { publicKey: bytes("public_key", public_key, 64) }),
    ...(chain_id !== undefined && { chainId: integer("chain_id", chain_id) }),
    ...(registry !== undefined && { registry: address("registry", registry) }),
    ...(watt_witness !== undefined && watt_witness !== null && { wattWitness: address("watt_witness", watt_witness) }),
    ...(head_domain !== undefined && { headDomain: bytes("head_domain", head_domain, 32) }),
  };
}

function signedFrom(json: unknown): ReadingProof["signed"] {
  const fields = object("signed", json, ["size", "reading", "root", "signature", "proof"]);
  return {
    ...inclusion("signed", fields),
    reading: bytes("signed.reading", fields["reading"], 32),
    signature: bytes("signed.signature", fields["signature"], 64),
  };
}

function settledFrom(json: unknown): Inclusion & { mark?: Mark } {
  const fields = object("settled", json, ["size", "root", "proof"], ["mark"]);
  const { mark } = fields;
  return { ...inclusion("settled", fields), ...(mark !== undefined && { mark: markFrom(mark) }) };
}

const inclusion = (name: string, { size, root, proof }: Fields): Inclusion => ({
  size: integer(`${name}.size`, size),
  root: bytes(`${name}.root`, root, 32),
  proof: list(`${name}.proof`, proof, PATH_LIMIT).map((hash, i) => bytes(`${name}.proof[${i}]`, hash, 32)),
});

const MARK_FIELDS = ["epoch", "fromSize", "size", "root", "produced", "transaction", "block", "confirmed"];

function markFrom(json: unknown): Mark {
  const fields = object("settled.mark", json, MARK_FIELDS, ["attestation"]);
  const { epoch, fromSize, size, root, produced, attestation, transaction, block, confirmed } = fields;
  if (typeof confirmed !== "boolean") throw new Malformed("settled.mark.confirmed must be true or false");
  return {
    epoch: integer("settled.mark.epoch", epoch, U32_MAX),
    fromSize: integer("settled.mark.fromSize", fromSize),
    size: integer("settled.mark.size", size),
    root: bytes("settled.mark.root", root, 32),
    produced: energy("settled.mark.produced", produced),
    ...(attestation !== undefined && { attestation: bytes("settled.mark.attestation", attestation, 32) }),
    transaction: bytes("settled.mark.transaction", transaction, 32),
    block: integer("settled.mark.block", block),
    confirmed,
  };
}

function object(name: string, json: unknown, required: readonly string[], optional: readonly string[] = []): Fields {
  const what = name || "a proof";
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new Malformed(`${what} must be an object`);
  const prefix = name && `${name}.`;
  for (const field of required) if (!Object.hasOwn(json, field)) throw new Malformed(`${prefix}${field} is missing`);
  const extra = Object.keys(json).find((field) => !required.includes(field) && !optional.includes(field));
  if (extra !== undefined) throw new Malformed(`${prefix}${extra} is no field of a proof`);
  return json as Fields;
}

function list(name: string, json: unknown, limit: number): unknown[] {
  if (!Array.isArray(json) || json.length > limit) throw new Malformed(`${name} must be a list of at most ${limit}`);
  return json;
}

function bytes(name: string, json: unknown, length: number): Uint8Array {
  if (typeof json !== "string" || json.length !== 2 + 2 * length || !/^0x[0-9a-f]*$/.test(json)) {
    throw new Malformed(`${name} must be ${length} bytes as 0x and ${2 * length} digits in lower case`);
  }
  return fromHex(json);
}

function address(name: string, json: unknown): Hex {
  if (typeof json !== "string" || !/^0x[0-9a-fA-F]{40}$/.test(json)) throw new Malformed(`${name} must be an address`);
  return json.toLowerCase() as Hex;
}

function integer(name: string, json: unknown, max = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isSafeInteger(json) || (json as number) < 0 || (json as number) > max) {
    throw new Malformed(`${name} must be a whole number from 0 to ${max}`);
  }
  return json as number;
}

function energy(name: string, json: unknown): bigint {
  if (typeof json !== "string" || !/^(0|[1-9]\d{0,19})$/.test(json)) {
    throw new Malformed(`${name} must be mWh as a decimal text`);
  }
  return BigInt(json);
}
