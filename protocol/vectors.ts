/**
 * Makes vectors.json, the one set of test vectors that every implementation is held to: `npm run vectors`.
 * From fixed keys and deterministic signatures, so that making it again changes nothing.
 * Each vector is one case; `failure` is the word of FAILURES it must be refused with, absent where it must be accepted.
 */
import { p256 } from "@noble/curves/nist.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { attestationLeaf, attestationProof, attestationRoot } from "./attestation.ts";
import { encodeBatch, type Segment } from "./batch.ts";
import { concat, fromHex, toHex, u32, u64, utf8 } from "./bytes.ts";
import { completeSubtrees, consistencyProof, createLog, frontier, inclusionProof, type Log } from "./log.ts";
import { CAPACITY_BURST, encodeReading, type Reading } from "./reading.ts";
import type { Failure } from "./result.ts";
import { keyIdOf, ORDER } from "./signature.ts";
import { publicKeyOf, sign } from "./signing.ts";
import { domain, encodeClaim, encodeHead, encodeRotation, type Head, headHash, type Kind } from "./statement.ts";

/** Chain and registry of a fresh local chain: the second contract that the first well-known account deploys. */
const PLACE = { chainId: 31337, registry: "0xe7f1725e7734ce288f8367e1bb143e90bb3f0512" };
const OTHER_CHAIN = { ...PLACE, chainId: 1 };
const OTHER_REGISTRY = { ...PLACE, registry: "0x5fbdb2315678afecb367f032d93f642f64180aa3" };
const OWNER = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";

const CAPACITY = 5000; // W
const SOURCE = 0x10;
const INTERVAL = 10; // s
const START = 1_773_964_800; // 2026-03-20T00:00:00Z
const READINGS = 2050;

const HEAD_DOMAIN = domain("head", PLACE);

type Refusal = { failure?: Failure };

const privateKeyOf = (name: string): Uint8Array => sha256(utf8(`WattWitness test key: ${name}`));
const privateKey = privateKeyOf("meter");
const publicKey = publicKeyOf(privateKey);
const keyId = keyIdOf(publicKey);
const newPrivateKey = privateKeyOf("successor");
const newPublicKey = publicKeyOf(newPrivateKey);
const newKeyId = keyIdOf(newPublicKey);

function modelledReading(index: number, previous: Reading | undefined): Reading {
  const power = BigInt((index * 7919) % 4_500_000);
  return {
    timestamp: START + index * INTERVAL,
    energy: previous ? previous.energy + (previous.power * BigInt(INTERVAL)) / 3600n : 0n,
    power,
    voltage: index % 50 === 7 ? undefined : 229_000 + (index % 2000),
    current: index % 50 === 8 ? undefined : Number(power / 230n),
    temperature: index % 50 === 9 ? undefined : ((index * 13) % 6000) - 1000,
    source: SOURCE,
    conditions: index % 97 === 5 ? 0x02 : 0,
  };
}

const modelled: Reading[] = [];
for (let i = 0; i < READINGS; i++) modelled.push(modelledReading(i, modelled[i - 1]));
const readings = modelled.map(encodeReading);
const log = createLog(readings);

const sizesUpTo = (limit: number): number[] => [...Array(limit + 1).keys()];
const powers = [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048];
const logSizes = [...new Set([...sizesUpTo(300), ...powers.flatMap((p) => [p - 1, p, p + 1])])].sort((a, b) => a - b);

const hexes = (list: Uint8Array[]): string[] => list.map(toHex);
const fieldsOf = (reading: Reading) => ({
  ...reading,
  energy: String(reading.energy),
  power: String(reading.power),
  voltage: reading.voltage ?? null,
  current: reading.current ?? null,
  temperature: reading.temperature ?? null,
});

function flip(bytes: Uint8Array, at = 0): Uint8Array {
  const changed = bytes.slice();
  changed[at] = (changed[at] as number) ^ 1;
  return changed;
}

// READINGS

const extremes: [string, Reading][] = [
  ["nothing but the time and energy is measured", { timestamp: 1, energy: 0n, power: 0n, source: 0, conditions: 0 }],
  [
    "every field at its least",
    {
      timestamp: 0,
      energy: 0n,
      power: -(2n ** 63n),
      voltage: 0,
      current: 0,
      temperature: -0x7fff,
      source: 0,
      conditions: 0,
    },
  ],
  [
    "every field at its most",
    {
      timestamp: 0xffff_ffff,
      energy: 2n ** 64n - 1n,
      power: 2n ** 63n - 1n,
      voltage: 0xffff_fffe,
      current: 0xffff_fffe,
      temperature: 0x7fff,
      source: 0x1f,
      conditions: 0x0f,
    },
  ],
  ["production, as the first of the log", modelled[0] as Reading],
  ["a night's negative power", { ...(modelled[1] as Reading), power: -2_710n }],
];

const badReadings: [string, Uint8Array, Failure][] = [
  ["one byte short", (readings[0] as Uint8Array).slice(1), "wrong length"],
  ["one byte long", concat(readings[0] as Uint8Array, Uint8Array.of(0)), "wrong length"],
  ["a reserved bit of source", with_(readings[0] as Uint8Array, 30, 0x20), "reserved bits"],
  ["a reserved bit of conditions", with_(readings[0] as Uint8Array, 31, 0x10), "reserved bits"],
];

function with_(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const changed = bytes.slice();
  changed[at] = value;
  return changed;
}

const readingVectors = [
  ...extremes.map(([name, reading]) => ({ name, bytes: toHex(encodeReading(reading)), fields: fieldsOf(reading) })),
  ...badReadings.map(([name, bytes, failure]) => ({ name, bytes: toHex(bytes), failure })),
];

// LOG

const logVectors = logSizes.map((size) => ({
  name: `the first ${size} readings`,
  size,
  root: toHex(log.root(size)),
  frontier: hexes(frontier(log.range, size)),
}));

type InclusionCase = { index: number; size: number; leaf?: Uint8Array; proof?: Uint8Array[]; root?: Uint8Array };

function inclusionVector(name: string, { index, size, leaf, proof, root }: InclusionCase, failure?: Failure) {
  return {
    name,
    index,
    size,
    reading: toHex(leaf ?? (readings[index] as Uint8Array)),
    proof: hexes(proof ?? inclusionProof(log.range, index, size)),
    root: toHex(root ?? log.root(size)),
    ...(failure && { failure }),
  };
}

const inclusionSizes = [
  1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 127, 129, 255, 256, 257, 300, 1023, 1025, 2047, 2049,
];
const path = (index: number, size: number) => inclusionProof(log.range, index, size);

const inclusionVectors = [
  ...inclusionSizes.flatMap((size) =>
    [...new Set([0, Math.floor(size / 3), Math.floor(size / 2), size - 1])].map((index) =>
      inclusionVector(`reading ${index} of ${size}`, { index, size }),
    ),
  ),
  inclusionVector("a changed reading", { index: 3, size: 7, leaf: flip(readings[3] as Uint8Array, 11) }, "wrong proof"),
  inclusionVector(
    "the reading of another index",
    { index: 3, size: 7, leaf: readings[4] as Uint8Array },
    "wrong proof",
  ),
  inclusionVector("a proof for another index", { index: 3, size: 8, proof: path(4, 8) }, "wrong proof"),
  inclusionVector("a proof for another size", { index: 3, size: 8, proof: path(3, 9) }, "wrong proof"),
  inclusionVector("another root", { index: 3, size: 8, root: log.root(9) }, "wrong proof"),
  inclusionVector(
    "a proof with its last hash dropped",
    { index: 3, size: 8, proof: path(3, 8).slice(0, -1) },
    "wrong proof",
  ),
  inclusionVector(
    "a proof with a hash more",
    { index: 3, size: 8, proof: [...path(3, 8), log.root(8)] },
    "wrong proof",
  ),
  inclusionVector("a proof in the wrong order", { index: 3, size: 8, proof: path(3, 8).reverse() }, "wrong proof"),
  inclusionVector(
    "a node in the place of a leaf",
    { index: 1, size: 2, proof: [log.root(1)], leaf: concat(log.root(1), log.root(2)).slice(0, 32), root: log.root(4) },
    "wrong proof",
  ),
  inclusionVector("an index at the size", { index: 8, size: 8, proof: path(7, 8) }, "size out of range"),
  inclusionVector("size 0", { index: 0, size: 0, proof: [], root: log.root(0) }, "size out of range"),
  inclusionVector("size 2^40", { index: 0, size: 2 ** 40, proof: [], root: log.root(1) }, "size out of range"),
];

type ConsistencyCase = { from: number; to: number; proof?: Uint8Array[]; fromRoot?: Uint8Array; toRoot?: Uint8Array };

function consistencyVector(name: string, { from, to, proof, fromRoot, toRoot }: ConsistencyCase, failure?: Failure) {
  return {
    name,
    from,
    to,
    fromRoot: toHex(fromRoot ?? log.root(from)),
    toRoot: toHex(toRoot ?? log.root(to)),
    proof: hexes(proof ?? consistencyProof(log.range, from, to)),
    ...(failure && { failure }),
  };
}

const growths: [number, number][] = [
  ...[2, 3, 4, 5, 6, 7, 8, 9].flatMap((to) =>
    sizesUpTo(to - 1)
      .slice(1)
      .map((from): [number, number] => [from, to]),
  ),
  ...[64, 65, 100, 255, 256, 257, 300].flatMap((to) =>
    [1, 2, 63, Math.floor(to / 2), to - 1].filter((from) => from < to).map((from): [number, number] => [from, to]),
  ),
  [1023, 1024],
  [1023, 2049],
  [1024, 1025],
  [1024, 2048],
  [1025, 2047],
  [2047, 2049],
  [2048, 2049],
  [1, 2049],
];

/** The log of somebody who changes reading 2 afterwards. */
const rewritten = createLog(readings.slice(0, 16).map((reading, i) => (i === 2 ? flip(reading, 11) : reading)));
/** Logs that forget, repeat or swap a reading. */
const without = (dropped: number): Log => createLog(readings.slice(0, 17).filter((_, i) => i !== dropped));
const doubled = createLog(readings.slice(0, 16).flatMap((reading, i) => (i === 2 ? [reading, reading] : [reading])));
const swapped = createLog([0, 2, 1, 3, 4, 5, 6, 7, 8, 9].map((i) => readings[i] as Uint8Array));
const between = (range: Log["range"], from: number, to: number) => consistencyProof(range, from, to);

const consistencyVectors = [
  ...growths.map(([from, to]) => consistencyVector(`${from} to ${to}`, { from, to })),
  consistencyVector(
    "a reading changed afterwards",
    { from: 5, to: 9, toRoot: rewritten.root(9), proof: between(rewritten.range, 5, 9) },
    "wrong proof",
  ),
  consistencyVector(
    "a reading dropped afterwards",
    { from: 5, to: 9, toRoot: without(2).root(9), proof: between(without(2).range, 5, 9) },
    "wrong proof",
  ),
  consistencyVector(
    "a reading repeated afterwards",
    { from: 5, to: 9, toRoot: doubled.root(9), proof: between(doubled.range, 5, 9) },
    "wrong proof",
  ),
  consistencyVector(
    "two readings swapped afterwards",
    { from: 5, to: 9, toRoot: swapped.root(9), proof: between(swapped.range, 5, 9) },
    "wrong proof",
  ),
  consistencyVector("a proof for another step", { from: 5, to: 9, proof: between(log.range, 5, 10) }, "wrong proof"),
  consistencyVector("an empty proof", { from: 5, to: 9, proof: [] }, "wrong proof"),
  consistencyVector(
    "a proof with its last hash dropped",
    { from: 5, to: 9, proof: between(log.range, 5, 9).slice(0, -1) },
    "wrong proof",
  ),
  consistencyVector(
    "a proof with a hash more",
    { from: 5, to: 9, proof: [...between(log.range, 5, 9), log.root(1)] },
    "wrong proof",
  ),
  consistencyVector("the old root itself", { from: 4, to: 8, toRoot: log.root(4), proof: [] }, "wrong proof"),
  consistencyVector("a stale size", { from: 9, to: 5, proof: between(log.range, 5, 9) }, "size not forward"),
  consistencyVector("the same size, of a complete tree", { from: 8, to: 8, proof: [] }, "size not forward"),
  consistencyVector("the same size", { from: 9, to: 9, proof: [] }, "size not forward"),
  consistencyVector("from size 0", { from: 0, to: 9, proof: [] }, "size out of range"),
  consistencyVector("to size 2^40", { from: 9, to: 2 ** 40, toRoot: log.root(10), proof: [] }, "size out of range"),
];

// STATEMENTS AND SIGNATURES

const u256 = (value: bigint): Uint8Array => fromHex(value.toString(16).padStart(64, "0"));
const sOf = (signature: Uint8Array): bigint => BigInt(toHex(signature.subarray(32)));
const withR = (signature: Uint8Array, r: bigint) => concat(u256(r), signature.subarray(32));
const withS = (signature: Uint8Array, s: bigint) => concat(signature.subarray(0, 32), u256(s));
const highS = (signature: Uint8Array): Uint8Array => withS(signature, ORDER - sOf(signature));

const headOf = (size: number, epoch = 1): Head => ({
  epoch,
  size,
  reading: readings[size - 1] as Uint8Array,
  root: log.root(size),
});

/** A head as 108 bytes, also one that the encoder rightly refuses to make. */
const rawHead = (headDomain: Uint8Array, { epoch, size, reading, root }: Head): Uint8Array =>
  concat(headDomain, u32(epoch), u64(size), reading, root);

type Signed = Refusal & { key?: Uint8Array; signature?: Uint8Array };

function headVector(name: string, bytes: Uint8Array, { key = publicKey, signature, failure }: Signed = {}) {
  return {
    name,
    domain: toHex(HEAD_DOMAIN),
    bytes: toHex(bytes),
    headHash: toHex(headHash(bytes)),
    publicKey: toHex(key),
    signature: toHex(signature ?? sign(bytes, privateKey)),
    ...(failure && { failure }),
  };
}

const head = encodeHead(HEAD_DOMAIN, headOf(9));
const headSignature = sign(head, privateKey);
const offCurve = concat(publicKey.subarray(0, 32), u256(BigInt(toHex(publicKey.subarray(32))) + 1n));
const infinity = new Uint8Array(64);
const beyondField = concat(u256(p256.Point.Fp.ORDER), publicKey.subarray(32));

const headVectors = [
  ...[1, 2, 3, 4, 5, 7, 8, 9, 255, 256, 257, 300, 1023, 1024, 1025, 2047, 2048, 2049].map((size) =>
    headVector(`size ${size}`, encodeHead(HEAD_DOMAIN, headOf(size))),
  ),
  headVector("epoch 0", encodeHead(HEAD_DOMAIN, headOf(9, 0))),
  headVector("epoch 2^32 - 1", encodeHead(HEAD_DOMAIN, headOf(9, 0xffff_ffff))),
  headVector("size 2^40 - 1", encodeHead(HEAD_DOMAIN, { ...headOf(9), size: 2 ** 40 - 1 })),
  headVector("one byte short", head.slice(0, -1), { failure: "wrong length" }),
  headVector("one byte long", concat(head, Uint8Array.of(0)), { failure: "wrong length" }),
  headVector("of another chain", encodeHead(domain("head", OTHER_CHAIN), headOf(9)), { failure: "wrong domain" }),
  headVector("of another registry", encodeHead(domain("head", OTHER_REGISTRY), headOf(9)), { failure: "wrong domain" }),
  headVector("of another kind", encodeHead(domain("claim", PLACE), headOf(9)), { failure: "wrong domain" }),
  headVector("size 0", rawHead(HEAD_DOMAIN, { ...headOf(9), size: 0 }), { failure: "size out of range" }),
  headVector("size 2^40", rawHead(HEAD_DOMAIN, { ...headOf(9), size: 2 ** 40 }), { failure: "size out of range" }),
  headVector("signed for another chain", head, {
    signature: sign(rawHead(domain("head", OTHER_CHAIN), headOf(9)), privateKey),
    failure: "bad signature",
  }),
  headVector("signed for another registry", head, {
    signature: sign(rawHead(domain("head", OTHER_REGISTRY), headOf(9)), privateKey),
    failure: "bad signature",
  }),
  headVector("signed for another epoch", head, {
    signature: sign(encodeHead(HEAD_DOMAIN, headOf(9, 2)), privateKey),
    failure: "bad signature",
  }),
  headVector("signed for another size", head, {
    signature: sign(encodeHead(HEAD_DOMAIN, { ...headOf(9), size: 10 }), privateKey),
    failure: "bad signature",
  }),
  headVector("signed for another reading", head, {
    signature: sign(encodeHead(HEAD_DOMAIN, { ...headOf(9), reading: readings[9] as Uint8Array }), privateKey),
    failure: "bad signature",
  }),
  headVector("signed for another root", head, {
    signature: sign(encodeHead(HEAD_DOMAIN, { ...headOf(9), root: log.root(10) }), privateKey),
    failure: "bad signature",
  }),
  headVector("signed by another key", head, { signature: sign(head, newPrivateKey), failure: "bad signature" }),
  headVector("shown with another key", head, { key: newPublicKey, signature: headSignature, failure: "bad signature" }),
  headVector("with a high s", head, { signature: highS(headSignature), failure: "high s" }),
  headVector("r = 0", head, { signature: withR(headSignature, 0n), failure: "bad signature" }),
  headVector("r = n", head, { signature: withR(headSignature, ORDER), failure: "bad signature" }),
  headVector("r = n + 1", head, { signature: withR(headSignature, ORDER + 1n), failure: "bad signature" }),
  headVector("r = 2^256 - 1", head, { signature: withR(headSignature, 2n ** 256n - 1n), failure: "bad signature" }),
  headVector("s = 0", head, { signature: withS(headSignature, 0n), failure: "bad signature" }),
  headVector("s = n", head, { signature: withS(headSignature, ORDER), failure: "high s" }),
  headVector("s = 2^256 - 1", head, { signature: withS(headSignature, 2n ** 256n - 1n), failure: "high s" }),
  headVector("a key off the curve", head, { key: offCurve, signature: headSignature, failure: "bad key" }),
  headVector("a key at infinity", head, { key: infinity, signature: headSignature, failure: "bad key" }),
  headVector("a key with x = p", head, { key: beyondField, signature: headSignature, failure: "bad key" }),
];

function statementVector<F>(
  name: string,
  bytes: Uint8Array,
  fields: F,
  by: Uint8Array,
  failure?: Failure,
  shown?: Uint8Array,
) {
  return {
    name,
    ...fields,
    bytes: toHex(shown ?? bytes),
    publicKey: toHex(publicKeyOf(by)),
    signature: toHex(sign(bytes, by)),
    ...(failure && { failure }),
  };
}

const claim = { meter: keyId, keyId, owner: OWNER, headHash: headHash(head) };
const claimFields = { meter: toHex(keyId), keyId: toHex(keyId), owner: OWNER, headHash: toHex(claim.headHash) };
const claimAt = (kind: Kind, place = PLACE) => encodeClaim(domain(kind, place), claim);
const goodClaim = claimAt("claim");
const successorClaim = { meter: keyId, keyId: newKeyId, owner: OWNER, headHash: claim.headHash };

const claimVectors = [
  statementVector("a meter's first key", goodClaim, claimFields, privateKey),
  statementVector(
    "a key rotated in",
    encodeClaim(domain("claim", PLACE), successorClaim),
    { ...claimFields, keyId: toHex(newKeyId) },
    newPrivateKey,
  ),
  statementVector(
    "signed for another chain",
    claimAt("claim", OTHER_CHAIN),
    claimFields,
    privateKey,
    "bad signature",
    goodClaim,
  ),
  statementVector(
    "signed for another registry",
    claimAt("claim", OTHER_REGISTRY),
    claimFields,
    privateKey,
    "bad signature",
    goodClaim,
  ),
  statementVector("signed as another kind", claimAt("head"), claimFields, privateKey, "bad signature", goodClaim),
  statementVector(
    "signed for another owner",
    encodeClaim(domain("claim", PLACE), { ...claim, owner: PLACE.registry }),
    claimFields,
    privateKey,
    "bad signature",
    goodClaim,
  ),
  statementVector(
    "signed for another head",
    encodeClaim(domain("claim", PLACE), { ...claim, headHash: sha256(head.slice(1)) }),
    claimFields,
    privateKey,
    "bad signature",
    goodClaim,
  ),
  statementVector("signed by another key", goodClaim, claimFields, newPrivateKey, "bad signature"),
].map((vector) => (vector.name === "signed by another key" ? { ...vector, publicKey: toHex(publicKey) } : vector));

const rotation = encodeRotation(domain("rotate", PLACE), { meter: keyId, newKeyId });
const rotationFields = { meter: toHex(keyId), newKeyId: toHex(newKeyId) };
const rotationVectors = [
  statementVector("the old key names the new one", rotation, rotationFields, privateKey),
  statementVector(
    "signed for another chain",
    encodeRotation(domain("rotate", OTHER_CHAIN), { meter: keyId, newKeyId }),
    rotationFields,
    privateKey,
    "bad signature",
    rotation,
  ),
  statementVector(
    "signed as another kind",
    encodeRotation(domain("claim", PLACE), { meter: keyId, newKeyId }),
    rotationFields,
    privateKey,
    "bad signature",
    rotation,
  ),
  {
    ...statementVector("signed by the new key", rotation, rotationFields, newPrivateKey, "bad signature"),
    publicKey: toHex(publicKey),
  },
];

// BATCHES

type SegmentChange = Partial<Segment> & { by?: Uint8Array; signedDomain?: Uint8Array; signedEpoch?: number };

/** The segment of `source` from `from` to `to`, honestly signed over whatever its readings are. */
function segmentOf(source: Uint8Array[], from: number, to: number, change: SegmentChange = {}): Segment {
  const { by = privateKey, signedDomain = HEAD_DOMAIN, signedEpoch, ...fields } = change;
  const whole = createLog(source.slice(0, to));
  const epoch = fields.epoch ?? 1;
  const statement = encodeHead(signedDomain, {
    epoch: signedEpoch ?? epoch,
    size: to,
    reading: source[to - 1] as Uint8Array,
    root: whole.root(),
  });
  return {
    publicKey: publicKeyOf(by),
    epoch,
    from,
    capacity: CAPACITY,
    frontier: frontier(whole.range, from),
    readings: source.slice(from, to),
    signature: sign(statement, by),
    ...fields,
  };
}

const batchOf = (...segments: Segment[]): Uint8Array => encodeBatch({ domain: HEAD_DOMAIN, segments });

function leafOf(segment: Segment, headDomain = HEAD_DOMAIN) {
  const before = completeSubtrees(segment.from);
  const source = segment.from === 0 ? segment.readings : [...readings.slice(0, segment.from), ...segment.readings];
  if (before.length !== segment.frontier.length) throw new Error("the frontier does not fit");
  const statement = encodeHead(headDomain, {
    epoch: segment.epoch,
    size: source.length,
    reading: source.at(-1) as Uint8Array,
    root: createLog(source).root(),
  });
  return {
    keyId: keyIdOf(segment.publicKey),
    epoch: segment.epoch,
    from: segment.from,
    capacity: segment.capacity,
    headHash: headHash(statement),
  };
}

function goodBatch(name: string, ...segments: Segment[]) {
  const leaves = segments.map((segment) => leafOf(segment));
  const bytes = batchOf(...segments);
  return {
    name,
    bytes: toHex(bytes),
    digest: toHex(sha256(bytes)),
    root: toHex(attestationRoot(leaves.map(attestationLeaf))),
    segments: leaves.map((leaf, i) => ({
      keyId: toHex(leaf.keyId),
      epoch: leaf.epoch,
      from: leaf.from,
      capacity: leaf.capacity,
      headHash: toHex(leaf.headHash),
      proof: hexes(attestationProof(leaves.map(attestationLeaf), i)),
    })),
  };
}

const badBatch = (name: string, failure: Failure, bytes: Uint8Array) => ({
  name,
  bytes: toHex(bytes),
  digest: toHex(sha256(bytes)),
  failure,
});

const segment = segmentOf(readings, 8, 21);
const other = segmentOf(readings, 0, 5, { by: newPrivateKey, capacity: 7000 });
const good = batchOf(segment, other);

/** `good` with the segment's readings replaced and its signature left as it was. */
const withReadings = (changed: Uint8Array[]): Uint8Array => batchOf({ ...segment, readings: changed });
const replaced = (index: number, reading: Uint8Array): Uint8Array[] =>
  segment.readings.map((r, i) => (i === index ? reading : r));
const signedAnew = (index: number, change: (reading: Reading) => Reading): Uint8Array =>
  batchOf(
    segmentOf(
      readings.map((r, i) => (i === index ? encodeReading(change(modelled[i] as Reading)) : r)),
      8,
      21,
    ),
  );
const patched = (bytes: Uint8Array, at: number, patch: Uint8Array): Uint8Array => {
  const changed = bytes.slice();
  changed.set(patch, at);
  return changed;
};
const SEGMENT_AT = 38;
const FROM_AT = SEGMENT_AT + 68;
const COUNT_AT = SEGMENT_AT + 80;

const burst = (excess: bigint): Uint8Array => {
  const first = modelled[0] as Reading;
  const produced = (BigInt(CAPACITY) * 1000n * BigInt(CAPACITY_BURST + INTERVAL)) / 3600n + excess;
  const second = { ...first, timestamp: first.timestamp + INTERVAL, energy: first.energy + produced };
  return batchOf(segmentOf([first, second].map(encodeReading), 0, 2));
};
const drained = (excess: bigint): Uint8Array => {
  // full bucket, then nothing for a while: what has leaked out, and no more, may be filled again
  const step = (BigInt(CAPACITY) * 1000n * BigInt(CAPACITY_BURST + 1)) / 3600n;
  const leaked = (BigInt(CAPACITY) * 1000n * 360n) / 3600n;
  const at = (seconds: number, energy: bigint): Uint8Array =>
    encodeReading({ ...(modelled[0] as Reading), timestamp: START + seconds, energy });
  return batchOf(segmentOf([at(0, 0n), at(1, step), at(360, step), at(361, step + leaked + excess)], 0, 4));
};
const rested = (excess: bigint): Uint8Array => {
  // an empty bucket stays empty: a quiet hour saves nothing up
  const step = (BigInt(CAPACITY) * 1000n * BigInt(CAPACITY_BURST + 1)) / 3600n + excess;
  const at = (seconds: number, energy: bigint): Uint8Array =>
    encodeReading({ ...(modelled[0] as Reading), timestamp: START + seconds, energy });
  return batchOf(segmentOf([at(0, 0n), at(3600, 0n), at(3601, step)], 0, 3));
};
const gap = (): Uint8Array => {
  const day = readings.slice(0, 12);
  const later = { ...(modelled[11] as Reading), timestamp: (modelled[11] as Reading).timestamp + 86_400 };
  return batchOf(segmentOf([...day, encodeReading(later)], 8, 13));
};

const unsigned = segmentOf(readings, 8, 21);
const keyed = (key: Uint8Array): Uint8Array => batchOf({ ...unsigned, publicKey: key });
const signed = (signature: Uint8Array): Uint8Array => batchOf({ ...unsigned, signature });

const batchVectors = [
  goodBatch("one segment of a new log", segmentOf(readings, 0, 1)),
  goodBatch("one segment of a long log", segmentOf(readings, 1024, 2049)),
  ...[1, 2, 3, 4, 7, 8, 15, 16, 17, 63, 64, 255, 256, 300].map((from) =>
    goodBatch(`a segment from ${from}`, segmentOf(readings, from, from + 7)),
  ),
  goodBatch("two meters, one of them new", segment, other),
  goodBatch(
    "three epochs of a key in one batch",
    segmentOf(readings, 4, 9),
    segmentOf(readings, 0, 9, { epoch: 2 }),
    segmentOf(readings, 0, 3, { epoch: 3 }),
  ),
  goodBatch("a last settled reading alone", segmentOf(readings, 8, 9)),
  goodBatchFrom("a day of silence in between", gap()),
  goodBatchFrom("the capacity bucket full to the brim", burst(0n)),
  goodBatchFrom("the capacity bucket filled again as far as it leaked", drained(0n)),
  goodBatchFrom("the capacity bucket full to the brim after a quiet hour", rested(0n)),
  badBatch("an empty file", "wrong magic", new Uint8Array()),
  badBatch("wrong magic", "wrong magic", patched(good, 0, utf8("WWB2"))),
  badBatch("a header cut short", "truncated", good.slice(0, 37)),
  badBatch("no segments", "no segments", concat(good.slice(0, 36), Uint8Array.of(0, 0))),
  badBatch("a segment more than it announces", "trailing bytes", patched(good, 36, Uint8Array.of(0, 1))),
  badBatch("a segment less than it announces", "truncated", patched(good, 36, Uint8Array.of(0, 3))),
  badBatch("cut by one byte", "truncated", good.slice(0, -1)),
  badBatch("cut in the middle of the readings", "truncated", batchOf(segment).slice(0, 300)),
  badBatch("one byte after the last segment", "trailing bytes", concat(good, Uint8Array.of(0))),
  badBatch("count 0", "count zero", patched(batchOf(segment), COUNT_AT, u32(0))),
  badBatch("count larger than the file", "truncated", patched(batchOf(segment), COUNT_AT, u32(0xffff_ffff))),
  badBatch("a frontier with a hash too few", "truncated", patched(batchOf(segment), FROM_AT, u64(9))),
  badBatch(
    "a frontier with a hash too many",
    "trailing bytes",
    patched(batchOf(segmentOf(readings, 9, 21)), FROM_AT, u64(8)),
  ),
  badBatch("from 2^40", "size out of range", patched(batchOf(segment), FROM_AT, u64(2 ** 40))),
  badBatch("from 2^64 - 1", "size out of range", patched(batchOf(segment), FROM_AT, u64(2n ** 64n - 1n))),
  badBatch("a size of 2^40", "size out of range", patched(batchOf(segment), FROM_AT, u64(2 ** 40 - 13))),
  badBatch(
    "time standing still",
    "time not forward",
    signedAnew(15, (r) => ({ ...r, timestamp: r.timestamp - INTERVAL })),
  ),
  badBatch(
    "time going back",
    "time not forward",
    signedAnew(15, (r) => ({ ...r, timestamp: START })),
  ),
  badBatch(
    "time standing still at the segment's boundary",
    "time not forward",
    signedAnew(9, (r) => ({ ...r, timestamp: r.timestamp - INTERVAL })),
  ),
  badBatch(
    "energy going back",
    "energy backward",
    signedAnew(15, (r) => ({ ...r, energy: (modelled[14] as Reading).energy - 1n })),
  ),
  badBatch(
    "energy going back at the segment's boundary",
    "energy backward",
    signedAnew(9, (r) => ({ ...r, energy: (modelled[8] as Reading).energy - 1n })),
  ),
  badBatch("the capacity bucket one mWh over", "beyond capacity", burst(1n)),
  badBatch("the capacity bucket one mWh over after a quiet hour", "beyond capacity", rested(1n)),
  badBatch("the capacity bucket one mWh over after it leaked", "beyond capacity", drained(1n)),
  badBatch(
    "energy wrapping past 2^64",
    "beyond capacity",
    signedAnew(20, (r) => ({ ...r, energy: 2n ** 64n - 1n })),
  ),
  badBatch(
    "a changed reading",
    "bad signature",
    withReadings(replaced(5, flip(segment.readings[5] as Uint8Array, 29))),
  ),
  badBatch(
    "a changed last reading",
    "bad signature",
    withReadings(replaced(12, flip(segment.readings[12] as Uint8Array, 19))),
  ),
  badBatch("a dropped reading", "bad signature", withReadings(segment.readings.filter((_, i) => i !== 5))),
  badBatch(
    "a reading doubled",
    "time not forward",
    withReadings(segment.readings.flatMap((r, i) => (i === 5 ? [r, r] : [r]))),
  ),
  badBatch(
    "two readings swapped",
    "time not forward",
    withReadings(
      replaced(5, segment.readings[6] as Uint8Array).map((r, i) => (i === 6 ? (segment.readings[5] as Uint8Array) : r)),
    ),
  ),
  badBatch(
    "a changed frontier",
    "bad signature",
    batchOf({ ...segment, frontier: segment.frontier.map((hash) => flip(hash)) }),
  ),
  badBatch("another epoch", "bad signature", batchOf({ ...segment, epoch: 2 })),
  badBatch(
    "another domain",
    "bad signature",
    encodeBatch({ domain: domain("head", OTHER_CHAIN), segments: [segment] }),
  ),
  badBatch(
    "signed as a claim",
    "bad signature",
    batchOf(segmentOf(readings, 8, 21, { signedDomain: domain("claim", PLACE) })),
  ),
  badBatch(
    "signed for another size",
    "bad signature",
    signed(sign(encodeHead(HEAD_DOMAIN, { ...headOf(21), size: 22 }), privateKey)),
  ),
  badBatch("signed by another key", "bad signature", keyed(newPublicKey)),
  badBatch("a high s", "high s", signed(highS(unsigned.signature))),
  badBatch("r = 0", "bad signature", signed(withR(unsigned.signature, 0n))),
  badBatch("r = n", "bad signature", signed(withR(unsigned.signature, ORDER))),
  badBatch("s = 0", "bad signature", signed(withS(unsigned.signature, 0n))),
  badBatch("s = n", "high s", signed(withS(unsigned.signature, ORDER))),
  badBatch("a key off the curve", "bad key", keyed(offCurve)),
  badBatch("a key at infinity", "bad key", keyed(infinity)),
  badBatch("a bad second segment", "high s", batchOf(segment, { ...other, signature: highS(other.signature) })),
];

/** A good batch of one new-log segment made elsewhere. */
function goodBatchFrom(name: string, bytes: Uint8Array) {
  const from = Number(new DataView(bytes.buffer).getBigUint64(FROM_AT));
  const count = new DataView(bytes.buffer).getUint32(COUNT_AT);
  const readingsAt = bytes.length - 64 - 32 * count;
  const list = Array.from({ length: count }, (_, i) => bytes.slice(readingsAt + 32 * i, readingsAt + 32 * i + 32));
  return goodBatch(name, segmentOf([...readings.slice(0, from), ...list], from, from + count));
}

/** Every vector has a name, and those that must be refused the word they are refused with. */
type Case = { name: string; failure?: Failure };
type Proof = { root: string; proof: string[] };

export type Vectors = {
  about: string;
  place: { chainId: number; registry: string; headDomain: string; claimDomain: string; rotateDomain: string };
  keys: { name: string; privateKey: string; publicKey: string; keyId: string }[];
  owner: string;
  /** W */
  capacity: number;
  /** the leaves of every log vector, in order */
  readings: string[];
  reading: (Case & { bytes: string; fields?: ReturnType<typeof fieldsOf> })[];
  log: (Case & { size: number; root: string; frontier: string[] })[];
  inclusion: (Case & Proof & { index: number; size: number; reading: string })[];
  consistency: (Case & { from: number; to: number; fromRoot: string; toRoot: string; proof: string[] })[];
  head: (Case & { domain: string; bytes: string; headHash: string; publicKey: string; signature: string })[];
  claim: (Case & StatementVector & { meter: string; keyId: string; owner: string; headHash: string })[];
  rotation: (Case & StatementVector & { meter: string; newKeyId: string })[];
  batch: (Case & { bytes: string; digest: string; root?: string; segments?: AttestedSegment[] })[];
};

type StatementVector = { bytes: string; publicKey: string; signature: string };
type AttestedSegment = {
  keyId: string;
  epoch: number;
  from: number;
  capacity: number;
  headHash: string;
  proof: string[];
};

export function makeVectors(): Vectors {
  return {
    about: "WattWitness/1 test vectors; see protocol/README.md",
    place: {
      ...PLACE,
      headDomain: toHex(HEAD_DOMAIN),
      claimDomain: toHex(domain("claim", PLACE)),
      rotateDomain: toHex(domain("rotate", PLACE)),
    },
    keys: [
      { name: "meter", privateKey: toHex(privateKey), publicKey: toHex(publicKey), keyId: toHex(keyId) },
      { name: "successor", privateKey: toHex(newPrivateKey), publicKey: toHex(newPublicKey), keyId: toHex(newKeyId) },
    ],
    owner: OWNER,
    capacity: CAPACITY,
    readings: hexes(readings),
    reading: readingVectors,
    log: logVectors,
    inclusion: inclusionVectors,
    consistency: consistencyVectors,
    head: headVectors,
    claim: claimVectors,
    rotation: rotationVectors,
    batch: batchVectors,
  };
}
