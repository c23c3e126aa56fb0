/**
 * Writes protocol/vectors.json as C for the tests of the firmware: `node vectors.ts FILE.h`. What a device makes is in it:
 * readings, roots and frontiers, domains, heads, claims, rotations, signatures. Batches and proofs are for others.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fromHex, ORDER, toHex } from "../../protocol/index.ts";
import type { Vectors } from "../../protocol/vectors.ts";

const vectors: Vectors = JSON.parse(readFileSync(new URL("../../protocol/vectors.json", import.meta.url), "utf8"));
const ERRORS: Record<string, string> = { "wrong length": "WW_WRONG_LENGTH", "reserved bits": "WW_RESERVED_BITS" };

const bytes = (hex: string): string => `{${[...fromHex(hex)].map((byte) => `0x${byte.toString(16)}`).join(",")}}`;
const text = (value: string): string => JSON.stringify(value);
const table = (declaration: string, rows: string[]): string =>
  `static const ${declaration}[] = {\n${rows.join(",\n")}\n};\n`;

const { place, keys, owner } = vectors;
const accepted = <T extends { failure?: string }>(cases: T[]): T[] => cases.filter(({ failure }) => !failure);

const readings = vectors.reading.map(({ name, bytes: hex, failure, fields }) => {
  const error = failure ? ERRORS[failure] : "WW_OK";
  if (!error) throw new Error(`no error is called ${failure}`);
  const value = fields
    ? [
        `${fields.timestamp}u`,
        `UINT64_C(${fields.energy})`,
        // the least i64 cannot be written down
        BigInt(fields.power) === -(2n ** 63n) ? "INT64_MIN" : `INT64_C(${fields.power})`,
        `${fields.voltage ?? 0xffff_ffff}u`,
        `${fields.current ?? 0xffff_ffff}u`,
        `${fields.temperature ?? -0x8000}`,
        `${fields.source}`,
        `${fields.conditions}`,
      ]
    : ["0"];
  const data = fromHex(hex);
  return `{${text(name)}, ${bytes(hex)}, ${data.length}, ${error}, {${value.join(",")}}}`;
});

const logs = vectors.log.map(
  ({ size, root, frontier }) => `{${size}, ${bytes(root)}, ${frontier.length}, {${frontier.map(bytes).join(",")}}}`,
);

const heads = accepted(vectors.head)
  .filter(({ domain }) => domain === place.headDomain)
  .map(({ name, bytes: hex, headHash, signature }) => {
    const data = fromHex(hex);
    const view = new DataView(data.buffer, data.byteOffset);
    const head = `{${view.getUint32(32)}u, UINT64_C(${view.getBigUint64(36)}), ${bytes(toHex(data.slice(44, 76)))}, ${bytes(toHex(data.slice(76)))}}`;
    return `{${text(name)}, ${head}, ${bytes(hex)}, ${bytes(headHash)}, ${bytes(signature)}, ${bytes(highS(signature))}}`;
  });

const claims = accepted(vectors.claim).map(
  (claim) =>
    `{${text(claim.name)}, ${[claim.meter, claim.keyId, claim.owner, claim.headHash, claim.bytes].map(bytes).join(",")}}`,
);
const rotations = accepted(vectors.rotation).map(
  ({ name, meter, newKeyId, bytes: hex }) => `{${text(name)}, ${[meter, newKeyId, hex].map(bytes).join(",")}}`,
);

/** The other form of a signature, as a secure element makes it half of the time. */
function highS(signature: string): string {
  const s = ORDER - BigInt(`0x${signature.slice(66)}`);
  return signature.slice(0, 66) + s.toString(16).padStart(64, "0");
}

const file = process.argv[2];
if (!file) throw new Error("where to? node vectors.ts FILE.h");
writeFileSync(
  file,
  [
    "/* made from protocol/vectors.json */",
    '#include "reading.h"',
    '#include "statement.h"',
    `static const struct ww_place PLACE = {UINT64_C(${place.chainId}), ${bytes(place.registry)}};`,
    `static const uint8_t HEAD_DOMAIN[32] = ${bytes(place.headDomain)};`,
    `static const uint8_t CLAIM_DOMAIN[32] = ${bytes(place.claimDomain)};`,
    `static const uint8_t ROTATE_DOMAIN[32] = ${bytes(place.rotateDomain)};`,
    `static const uint8_t OWNER[20] = ${bytes(owner)};`,
    table(
      "struct { uint8_t public_key[64], key_id[32]; } KEYS",
      keys.map(({ publicKey, keyId }) => `{${bytes(publicKey)}, ${bytes(keyId)}}`),
    ),
    `static const uint8_t LEAVES[][32] = {\n${vectors.readings.map(bytes).join(",\n")}\n};\n`,
    table(
      "struct { const char *name; uint8_t bytes[40]; size_t length; enum ww_error error; struct ww_reading reading; } READINGS",
      readings,
    ),
    table("struct { uint64_t size; uint8_t root[32]; unsigned width; uint8_t frontier[12][32]; } LOGS", logs),
    table(
      "struct { const char *name; struct ww_head head; uint8_t bytes[108], hash[32], signature[64], high_s[64]; } HEADS",
      heads,
    ),
    table(
      "struct { const char *name; uint8_t meter[32], key_id[32], owner[20], head_hash[32], bytes[148]; } CLAIMS",
      claims,
    ),
    table("struct { const char *name; uint8_t meter[32], new_key_id[32], bytes[96]; } ROTATIONS", rotations),
  ].join("\n"),
);
