/**
 * A proof as a file that says all but what the chain says: `WattWitness/1 proof`, JSON in one canonical form (see proof.ts
 * for the fields), or the `.tlog-proof` of an oracle.
 */
import { equal, keyIdOf, type Place, toHex } from "../protocol/index.ts";
import { FORMAT, type Inclusion, type Mark, type Parsed, proofFrom, type ReadingProof } from "./proof.ts";
import { isTlogProof, proofFromTlog } from "./tlog.ts";

export const EXTENSION = ".wattwitness-proof.json";

/** Characters; the longest proof has some 10,000. */
const LIMIT = 65_536;

/** The proof as a file; the same proof gives the same bytes. Throws where the public key is not the key id's. */
export function proofFile(proof: ReadingProof, place: Place, publicKey: Uint8Array): string {
  if (!equal(keyIdOf(publicKey), proof.keyId))
    throw new RangeError("this public key is not the one that the key id names");
  const { keyId, epoch, index, reading, signed, settled, wattWitness } = proof;
  const fields = {
    ...{ format: FORMAT, chain_id: Number(place.chainId), registry: place.registry.toLowerCase() },
    ...(wattWitness && { watt_witness: wattWitness }),
    ...{ public_key: toHex(publicKey), keyId: toHex(keyId), epoch, index, reading: toHex(reading) },
    signed: {
      ...{ size: signed.size, reading: toHex(signed.reading), root: toHex(signed.root) },
      ...{ signature: toHex(signed.signature), proof: signed.proof.map(toHex) },
    },
    ...(settled && { settled: settledFields(settled) }),
  };
  return `${JSON.stringify(fields, null, 2)}\n`;
}

const settledFields = ({ size, root, proof, mark }: Inclusion & { mark?: Mark }) => ({
  ...{ size, root: toHex(root), proof: proof.map(toHex) },
  ...(mark && { mark: markFields(mark) }),
});

const markFields = ({ root, produced, attestation, transaction, ...numbers }: Mark) => ({
  ...{ epoch: numbers.epoch, fromSize: numbers.fromSize, size: numbers.size, root: toHex(root) },
  ...{ produced: produced.toString(), ...(attestation && { attestation: toHex(attestation) }) },
  ...{ transaction: toHex(transaction), block: numbers.block, confirmed: numbers.confirmed },
});

/** Either kind of file, told by how it begins. */
export function proofFromText(text: string): Parsed<ReadingProof> {
  if (text.length > LIMIT) return { ok: false, problem: `a proof has at most ${LIMIT} characters` };
  if (isTlogProof(text)) return proofFromTlog(text);
  const json = jsonOf(text);
  return json === undefined ? { ok: false, problem: "this is neither JSON nor a .tlog-proof" } : proofFrom(json);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
