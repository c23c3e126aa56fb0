/** One object by itself, every step with what was computed: a batch's file, a retirement. */
import { BATCH_LIMIT, domain, type Place, toHex } from "../protocol/index.ts";
import type { ChainReader } from "../verification/chain/reader.ts";
import { certificateOf, tokenAt } from "../verification/chain/token.ts";
import { attestationOf, deploymentAt, keyOnChain, settledLog } from "../verification/chain/views.ts";
import { native } from "./evidence/native.ts";
import { batchResult } from "./evidence/work.ts";
import { type Finding, missing, refuted, type Verdict, verdictOf } from "./finding.ts";

export type Told = { verdict: Verdict; findings: Finding[]; facts: Record<string, unknown> };

const told = (findings: Finding[], facts: Record<string, unknown>): Told => ({
  ...{ verdict: verdictOf(findings), findings, facts },
});

/** Where it is to be settled, if anybody says so, and a node of that chain. */
export type Against = { place?: Place | undefined; chain?: ChainReader | undefined };

export async function verifyBatchFile(file: Uint8Array, { place, chain }: Against): Promise<Told> {
  const bytes = new Uint8Array(file);
  const batch = await batchResult(native, { kind: "batch", bytes, limit: BATCH_LIMIT, before: [] });
  const digest = toHex(batch.digest);
  const where = { batch: digest };
  if (batch.failure) return told([refuted(batch.failure, digest, "a batch", batch.failure, where)], { digest });
  const findings: Finding[] = [];
  const hold = (rule: string, object: string, expected: unknown, found: unknown) => {
    if (expected !== found) findings.push(refuted(rule, object, expected, found, where));
  };
  const own = toHex(batch.domain);
  if (place) hold("wrong domain", digest, toHex(domain("head", place)), own);
  const root = toHex(batch.root);
  const at = chain && place ? await deploymentAt(chain, place) : undefined;
  if (at && !at.ok) findings.push(missing(at.why.rule, "the chain", at.why.says));
  const segments: Record<string, unknown>[] = [];
  for (const segment of batch.segments) {
    const { epoch, from, size, capacity, signature, rules, counts } = segment;
    const keyId = toHex(segment.keyId);
    const object = `segment of ${keyId}, epoch ${epoch}, ${from} to ${size}`;
    if (rules.failure)
      hold(rules.failure, object, "every reading within the rules", `reading ${from + (rules.at ?? 0)}`);
    if (signature !== "valid") hold(signature, object, "a signature of its key over the head", "another");
    const log = at?.ok ? await settledLog(at.value, segment.keyId, epoch) : undefined;
    if (log && !log.ok) findings.push(missing(log.why.rule, object, log.why.says));
    const key = at?.ok ? await keyOnChain(at.value, segment.keyId) : undefined;
    if (key && !key.ok) findings.push(missing(key.why.rule, object, key.why.says));
    if (key?.ok && key.value.status === "none") hold("unknown key", object, "a registered key", keyId);
    // the device signed another story than the settled one
    if (log?.ok && log.value.size === size) hold("root", object, toHex(log.value.root), toHex(segment.root));
    segments.push({
      ...{ key_id: keyId, epoch, from, size, readings: size - from, capacity, root: toHex(segment.root), signature },
      ...{
        gaps: counts.gaps,
        conditions: counts.conditions,
        ...(log?.ok && { settled: settledness(log.value, segment) }),
      },
    });
  }
  const attested = at?.ok ? await attestationOf(at.value, batch.root) : undefined;
  if (attested && !attested.ok) findings.push(missing(attested.why.rule, digest, attested.why.says, where));
  return told(findings, {
    ...{ digest, bytes: bytes.length, head_domain: own, attestation_root: root, segments },
    ...(attested?.ok && { attestor: attested.value.attestor, attested_at: attested.value.attestedAt }),
  });
}

/** How far the chain has its log: `other root` is of a log of the same size, which this one is not. */
function settledness(log: { size: number; root: Uint8Array }, segment: { size: number; root: Uint8Array }): string {
  if (log.size < segment.size) return "not yet";
  if (log.size > segment.size) return "and more since";
  return toHex(log.root) === toHex(segment.root) ? "exactly" : "other root";
}

export async function verifyRetirement(
  chain: ChainReader,
  place: Place,
  serial: number,
  fromBlock: number,
): Promise<Told> {
  const object = `retirement ${serial}`;
  const at = await tokenAt(chain, place);
  if (!at.ok) return told([missing(at.why.rule, "the chain", at.why.says)], {});
  const certificate = await certificateOf(at.value, serial, fromBlock);
  if (!certificate.ok) {
    const { rule, says } = certificate.why;
    return told([missing(rule, object, says)], {});
  }
  if (!certificate.value) return told([refuted("no such retirement", object, "one of this serial", "none", {})], {});
  const { retirement, event } = certificate.value;
  const findings = event ? [] : [missing("no event", object, "the node does not show its Retired")];
  const { from, retiredAt, amount, beneficiary, name, purpose } = retirement;
  return told(findings, {
    ...{ serial, by: from, retired_at: retiredAt, units: amount, beneficiary, name, purpose },
    ...{ token: at.value.token, chain_id: at.value.chainId, at_block: at.value.block },
    ...(event && { transaction: toHex(event.transaction), block: event.block }),
  });
}
