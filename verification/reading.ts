/**
 * Whether a reading is what its proof says: signed by the device, whose key a registered meter has, and settled. Each step
 * is judged on what was computed here; nothing that an oracle says is believed, and what is missing is never a pass.
 */
import {
  CONDITIONS,
  decodeReading,
  domain,
  encodeHead,
  equal,
  type Hash,
  headHash,
  keyIdOf,
  leafHash,
  type Place,
  rootFromInclusion,
  SOURCE_CHANNEL,
  SOURCE_EXPORT,
  timestampOf,
  toHex,
  verify,
} from "../protocol/index.ts";
import type { ChainReader } from "./chain/reader.ts";
import { type Deployment, deploymentAt, type KeyOnChain, keyOnChain, publicKeyOnChain } from "./chain/views.ts";
import type { ReadingProof } from "./proof.ts";
import { settledStep } from "./settled.ts";
import { settlementStep } from "./settlement.ts";
import { holds, refuted, type Step, unfounded, unknown, type Verdict, verdictOf, type Why } from "./steps.ts";

/** What a proof is held against. */
export type Against = {
  place: Place;
  /** absent = offline: what only the chain says is unknown, and the verdict with it */
  chain?: ChainReader | undefined;
  /** The block that the contracts were deployed in, for nodes that do not look through all blocks for an event. */
  fromBlock?: number | undefined;
};

export type Verification = { verdict: Verdict; steps: Step[] };

/** Never rejects: whatever a chain's node does is a step's reason. */
export async function verifyReading(proof: ReadingProof, against: Against): Promise<Verification> {
  const reading = readingStep(proof);
  const leaf = unfounded("leaf", reading) ?? holds("leaf", { computed: leafHash(proof.reading) });
  const root = unfounded("root", leaf) ?? rootStep(proof);

  const chain = await chainStep(proof, against);
  const found = await meterStep(proof, chain);
  const key = await keyStep(proof, against, chain.at, found.key);
  // whose a key id is that is not this key's says nothing; whose one is that nobody showed the key of, does
  const meter = (key.step.state === "refuted" && unfounded("meter", key.step)) || found.step;
  const signature =
    unfounded("signature", root, key.step) ?? (await signatureStep(proof, against.place, key.publicKey));

  const ground = [signature, chain.step, meter];
  const mark = proof.settled?.mark;
  const [settled, settlement] = await Promise.all([
    unfounded("settled", ...ground) ?? settledStep(proof, chain.at as Deployment, against.fromBlock),
    mark && (unfounded("settlement", ...ground) ?? settlementStep(proof, mark, chain.at as Deployment)),
  ]);
  const steps = [
    reading,
    leaf,
    root,
    key.step,
    signature,
    chain.step,
    meter,
    settled,
    ...(settlement ? [settlement] : []),
  ];
  return { verdict: verdictOf(steps), steps };
}

const wordsOfConditions = (conditions: number): string[] =>
  Object.entries(CONDITIONS).flatMap(([word, bit]) => (conditions & bit ? [word] : []));

function readingStep({ reading }: ReadingProof): Step {
  const decoded = decodeReading(reading);
  if (!decoded.ok) {
    const says = "A bit of source or conditions is set that means nothing.";
    return refuted("reading", { rule: decoded.failure, says }, { computed: reading });
  }
  const { timestamp, energy, power, voltage, current, temperature, source, conditions } = decoded.value;
  const facts = {
    ...{ timestamp, energy: energy.toString(), power: power.toString() },
    ...(voltage !== undefined && { voltage }),
    ...(current !== undefined && { current }),
    ...(temperature !== undefined && { temperature }),
    ...{ channel: source & SOURCE_CHANNEL, register: source & SOURCE_EXPORT ? "export" : "import" },
    conditions: wordsOfConditions(conditions),
  };
  return holds("reading", { computed: reading, facts });
}

function rootStep({ reading, index, signed }: ReadingProof): Step {
  const { size, root, proof } = signed;
  const facts = { index, size };
  const computed = rootFromInclusion(reading, index, size, proof);
  if (!computed.ok) {
    const says =
      computed.failure === "wrong proof"
        ? "The inclusion proof is of another length than this place in a log of this size has."
        : `No log of ${size} readings has a reading ${index}.`;
    return refuted("root", { rule: computed.failure, says }, { expected: root, facts });
  }
  const compared = { computed: computed.value, expected: root, facts };
  const says = "Reading and inclusion proof lead to another root than the one under the signature.";
  return equal(computed.value, root)
    ? holds("root", compared)
    : refuted("root", { rule: "wrong proof", says }, compared);
}

/* WHO SIGNED */

type KeyFound = { step: Step; publicKey: Uint8Array };

/** Its id says whether a public key is the right one, so it may come from anywhere: from the proof, or the chain's events. */
async function keyStep(
  { keyId, publicKey }: ReadingProof,
  { fromBlock = 0 }: Against,
  at: Deployment | undefined,
  onChain: KeyOnChain | undefined,
): Promise<KeyFound> {
  if (publicKey) return judgedKey(keyId, publicKey, "proof");
  const found = at && onChain ? await publicKeyOnChain(at, keyId, onChain, fromBlock) : undefined;
  if (found?.ok && found.value) return judgedKey(keyId, found.value, "chain");
  const says = "Neither the proof nor the chain says the public key.";
  const why: Why = found && !found.ok ? found.why : { rule: "no public key", says };
  return { step: unknown("key", why, { expected: keyId }), publicKey: new Uint8Array() };
}

function judgedKey(keyId: Hash, publicKey: Uint8Array, from: "proof" | "chain"): KeyFound {
  const compared = { computed: keyIdOf(publicKey), expected: keyId, facts: { publicKey: toHex(publicKey), from } };
  if (equal(compared.computed, keyId)) return { step: holds("key", compared), publicKey };
  const why: Why =
    from === "proof"
      ? { rule: "wrong key", says: "The public key is not the one that the key id names." }
      : { rule: "contradicts itself", says: "The chain's node shows another public key than the key id names." };
  return { step: (from === "proof" ? refuted : unknown)("key", why, compared), publicKey };
}

const SIGNATURE_SAYS = {
  "high s": "The signature is in its other form, with a high s: only the low one counts.",
  "bad key": "The public key is no point of the curve P-256.",
  "bad signature": "The device did not sign this head for this chain and registry.",
} as Record<string, string>;

async function signatureStep(proof: ReadingProof, place: Place, publicKey: Uint8Array): Promise<Step> {
  const elsewhere = otherPlace(proof, place);
  if (elsewhere) return elsewhere;
  const { epoch, index, signed } = proof;
  const headDomain = domain("head", place);
  const head = encodeHead(headDomain, { epoch, size: signed.size, reading: signed.reading, root: signed.root });
  const facts = {
    ...{ chainId: Number(place.chainId), registry: place.registry, epoch, size: signed.size },
    ...{ domain: toHex(headDomain), head: toHex(head), signature: toHex(signed.signature) },
  };
  const found = { computed: headHash(head), facts };
  const valid = await verify(head, signed.signature, publicKey);
  if (!valid.ok) {
    return refuted("signature", { rule: valid.failure, says: SIGNATURE_SAYS[valid.failure] ?? valid.failure }, found);
  }
  if (index === signed.size - 1 && !equal(proof.reading, signed.reading)) {
    const says = "The head ends with another reading than its log: the device signed two stories.";
    return refuted("signature", { rule: "other last reading", says }, found);
  }
  return holds("signature", found);
}

/** What the proof says it is for, against where it is looked for. */
function otherPlace({ chainId, registry, headDomain }: ReadingProof, place: Place): Step | undefined {
  const here = `${place.chainId}/${place.registry.toLowerCase()}`;
  const said = `${chainId ?? place.chainId}/${registry ?? place.registry.toLowerCase()}`;
  if (said !== here) {
    const says = `The proof is for chain and registry ${said}, not for ${here}.`;
    return refuted("signature", { rule: "other place", says }, { computed: said, expected: here });
  }
  const expected = domain("head", place);
  if (!headDomain || equal(headDomain, expected)) return undefined;
  const says = "The domain of heads that the proof names is not that of its chain and registry.";
  return refuted("signature", { rule: "wrong domain", says }, { computed: headDomain, expected });
}

/* WHAT THE CHAIN SAYS */

async function chainStep(
  { wattWitness }: ReadingProof,
  { chain, place }: Against,
): Promise<{ step: Step; at?: Deployment }> {
  if (!chain) return { step: unknown("chain", { rule: "no chain", says: "No node of the chain was asked." }) };
  const deployment = await deploymentAt(chain, place);
  if (!deployment.ok) return { step: unknown("chain", deployment.why) };
  const at = deployment.value;
  const facts = { chainId: at.chainId, block: at.block, registry: at.registry, wattWitness: at.wattWitness };
  if (wattWitness && wattWitness !== at.wattWitness) {
    const says = "The registry names another WattWitness than the proof.";
    const compared = { computed: at.wattWitness, expected: wattWitness, facts };
    return { step: refuted("chain", { rule: "other contract", says }, compared), at };
  }
  return { step: holds("chain", { computed: at.headDomain, expected: domain("head", place), facts }), at };
}

async function meterStep(
  { keyId, reading }: ReadingProof,
  chain: { step: Step; at?: Deployment },
): Promise<{ step: Step; key?: KeyOnChain }> {
  const ground = unfounded("meter", chain.step);
  if (ground || !chain.at) return { step: ground as Step };
  const answer = await keyOnChain(chain.at, keyId);
  if (!answer.ok) return { step: unknown("meter", answer.why) };
  const key = answer.value;
  if (key.status === "none") {
    return { step: refuted("meter", { rule: "unknown key", says: "No meter has, or had, this key." }) };
  }
  const { since, until, status, capacity, source, payee } = key;
  const timestamp = timestampOf(reading);
  const found = {
    computed: `${timestamp}`,
    expected: until ? `${since} to before ${until}` : `${since} or later`,
    facts: { meter: toHex(key.meter), status, since, ...(until && { until }), capacity, source, payee },
  };
  if (timestamp >= since && (until === 0 || timestamp < until)) return { step: holds("meter", found), key };
  const says = "The reading is from a time in which the readings of this key do not count.";
  return { step: refuted("meter", { rule: "outside interval", says }, found), key };
}
