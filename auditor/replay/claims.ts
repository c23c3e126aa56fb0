/**
 * Claims and rotations: what a key signed when it was registered or rotated in is in no event, but in the transaction. Where
 * that is another's who called the registry in a way that cannot be read, the contract alone has checked it: such a key is
 * told of as accepted by the contract, and is no finding.
 */
import type { Hex } from "viem";
import {
  concat,
  domain,
  encodeClaim,
  encodeHead,
  encodeRotation,
  energyOf,
  fromHex,
  headHash,
  type Place,
  timestampOf,
  verify,
} from "../../protocol/index.ts";
import {
  type NewKey,
  type Registration,
  type Rotate,
  registrationsIn,
  rotationsIn,
  sentIn,
} from "../chain/calldata.ts";
import type { History } from "../chain/history.ts";
import { type Finding, missing, refuted, said } from "../finding.ts";
import type { Key } from "./keys.ts";

export type Claims = {
  findings: Finding[];
  /** keys whose claim or rotation only the contract has seen */
  byContract: { keyId: Hex; transaction: Hex }[];
};

const AT_ONCE = 16;

export async function checkClaims(history: History, keys: readonly Key[]): Promise<Claims> {
  const { chainId, registry } = history.deployment;
  const place = { chainId, registry };
  const all: Claims = { findings: [], byContract: [] };
  for (let i = 0; i < keys.length; i += AT_ONCE) {
    for (const { findings, byContract } of await Promise.all(
      keys.slice(i, i + AT_ONCE).map((key) => checkClaim(history, place, key, keys)),
    )) {
      all.findings.push(...findings);
      all.byContract.push(...byContract);
    }
  }
  return all;
}

const publicKeyOf = ({ x, y }: { x: Hex; y: Hex }): Hex => `${x}${y.slice(2)}`.toLowerCase() as Hex;
const signatureOf = ({ r, s }: { r: Hex; s: Hex }): Uint8Array => concat(fromHex(r), fromHex(s));

async function checkClaim(history: History, place: Place, key: Key, keys: readonly Key[]): Promise<Claims> {
  const { keyId, begun } = key;
  const transaction = begun.where.transaction as Hex;
  const sent = await sentIn(history.chain, transaction);
  const untold = (says: string) => ({ findings: [missing("no claim", keyId, says, begun.where)], byContract: [] });
  if (!sent.ok) return untold(sent.why.says);
  const { to, input } = sent.value;
  const rotation = rotationsIn(input).find(
    (each) => each.meter === key.meter && publicKeyOf(each.newKey.key) === key.publicKey,
  );
  const registration = registrationsIn(input).find((each) => publicKeyOf(each.key) === key.publicKey);
  const newKey = key.rotatedIn ? rotation?.newKey : registration;
  if (!newKey && to === history.deployment.registry) return untold("the registry was called, without this key");
  if (!newKey) return { findings: [], byContract: [{ keyId, transaction }] };
  const findings = await claimFindings(place, key, newKey);
  if (!key.rotatedIn) {
    const { owner, capacity, source, details } = registration as Registration;
    const asked = said({ owner, capacity, source, details });
    const told = said(key.registered);
    if (asked !== told) findings.push(refuted("registration", keyId, asked, told, begun.where));
  }
  if (key.rotatedIn && !key.isProposed) findings.push(...(await rotationFindings(place, key, rotation, keys)));
  return { findings, byContract: [] };
}

async function claimFindings(place: Place, key: Key, { baseline, claim }: NewKey): Promise<Finding[]> {
  const { keyId, meter, begun, publicKey } = key;
  const reading = fromHex(baseline.reading);
  const told = [begun.epoch, begun.size, begun.timestamp, begun.energy, begun.root].map(String);
  const sent = [baseline.epoch, baseline.size, timestampOf(reading), energyOf(reading), baseline.root].map(String);
  if (told.join() !== sent.join()) return [refuted("baseline", keyId, told, sent, begun.where)];
  const { epoch, size, root } = begun;
  const head = encodeHead(domain("head", place), { epoch, size, reading, root: fromHex(root) });
  const statement = { meter: fromHex(meter), keyId: fromHex(keyId), owner: begun.owner, headHash: headHash(head) };
  const signed = await verify(encodeClaim(domain("claim", place), statement), signatureOf(claim), fromHex(publicKey));
  return signed.ok
    ? []
    : [refuted("claim", keyId, `signed by its key for ${begun.owner}`, signed.failure, begun.where)];
}

async function rotationFindings(
  place: Place,
  key: Key,
  rotate: Rotate | undefined,
  keys: readonly Key[],
): Promise<Finding[]> {
  const { keyId, meter, begun } = key;
  const previous = keys.find((each) => each.keyId === key.previous);
  const isByPrevious = rotate?.key && publicKeyOf(rotate.key) === previous?.publicKey;
  if (!rotate?.rotation || !previous || !isByPrevious) {
    return [refuted("rotation", keyId, "signed by the key before, or proposed", "neither", begun.where)];
  }
  const statement = encodeRotation(domain("rotate", place), { meter: fromHex(meter), newKeyId: fromHex(keyId) });
  const signed = await verify(statement, signatureOf(rotate.rotation), fromHex(previous.publicKey));
  return signed.ok ? [] : [refuted("rotation", keyId, `signed by ${previous.keyId}`, signed.failure, begun.where)];
}
