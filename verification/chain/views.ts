/** What the contracts say, each at one block, so that no two answers are of different moments. */
import { domain, equal, type Hash, type Place, toHex } from "../../protocol/index.ts";
import type { Hex } from "../proof.ts";
import * as abi from "./abi.ts";
import { type Answer, answered, ask, askNumber, octets, quantity, tag, unanswered } from "./asking.ts";
import { logsIn } from "./ranges.ts";
import type { ChainReader } from "./reader.ts";

/** Blocks that one node may be behind another: so far, what it does not know yet is not false. */
export const BEHIND = 20;

/** A deployment as a node shows it at its newest block. */
export type Deployment = {
  chain: ChainReader;
  chainId: number;
  registry: Hex;
  wattWitness: Hex;
  headDomain: Hash;
  block: number;
};

/**
 * Refuses: what `ask` refuses, `nonsense`, `wrong chain`, `no contract`; `other contract` where registry and WattWitness do
 * not name each other or do not speak for this place.
 */
export async function deploymentAt(chain: ChainReader, place: Place): Promise<Answer<Deployment>> {
  const registry = place.registry.toLowerCase() as Hex;
  // which contracts there are never changes, so that all this can be asked at once
  const [chainId, block, wattWitness, headDomain] = await Promise.all([
    askNumber(chain, "eth_chainId"),
    askNumber(chain, "eth_blockNumber"),
    addressAt(chain, registry, "wattWitness"),
    view({ chain, to: registry }, "headDomain", abi.call(abi.SELECTOR.headDomain), 1, ([word]) => word),
  ]);
  if (!chainId.ok) return chainId;
  if (BigInt(chainId.value) !== BigInt(place.chainId)) {
    return unanswered("wrong chain", `The chain's node is of chain ${chainId.value}, not of ${place.chainId}.`);
  }
  if (!block.ok) return block;
  if (!wattWitness.ok) return wattWitness;
  if (!headDomain.ok) return headDomain;
  if (!equal(headDomain.value, domain("head", place))) {
    return unanswered("other contract", `${registry} opens heads with another domain than this place has.`);
  }
  const back = await addressAt(chain, wattWitness.value, "registry");
  if (!back.ok) return back;
  if (back.value !== registry) {
    return unanswered("other contract", `${registry} names ${wattWitness.value}, which is of ${back.value}.`);
  }
  return answered({
    ...{ chain, chainId: chainId.value, registry, wattWitness: wattWitness.value },
    ...{ headDomain: headDomain.value, block: block.value },
  });
}

const addressAt = (chain: ChainReader, to: Hex, name: "wattWitness" | "registry"): Promise<Answer<Hex>> =>
  view({ chain, to }, name, abi.call(abi.SELECTOR[name]), 1, ([address]) => abi.addressOf(address));

/** IWattWitness.Status */
export const STATUSES = ["none", "active", "frozen", "superseded", "decommissioned"] as const;

export type KeyOnChain = {
  meter: Hash;
  status: (typeof STATUSES)[number];
  /** Unix time, s, from when the key's readings count */
  since: number;
  /** before when; 0 = to this day */
  until: number;
  rotatedIn: boolean;
  /** W */
  capacity: number;
  source: number;
  payee: Hex;
};

/** What is decided about a key; status `none` = it was never registered. Refuses `contradicts itself`, too. */
export async function keyOnChain(at: Deployment, keyId: Hash): Promise<Answer<KeyOnChain>> {
  const [meter, interval, terms] = await Promise.all([
    onWattWitness(at, "meterOf", abi.call(abi.SELECTOR.meterOf, keyId), 1, ([word]) => word),
    onWattWitness(at, "intervalOf", abi.call(abi.SELECTOR.intervalOf, keyId), 2, ([since, until]) =>
      allOf({ since: abi.numberOf(since, 32), until: abi.numberOf(until, 32) }),
    ),
    onWattWitness(at, "termsOf", abi.call(abi.SELECTOR.termsOf, keyId), 7, termsFrom),
  ]);
  if (!meter.ok) return meter;
  if (!interval.ok) return interval;
  if (!terms.ok) return terms;
  const { since, ...more } = terms.value;
  const key = { meter: meter.value, ...interval.value, ...more };
  return since === key.since && isConsistent(key, keyId)
    ? answered(key)
    : unanswered("contradicts itself", "The chain's node says of this key what cannot all be true: ask another.");
}

const termsFrom = ([payee, capacity, source, status, since, rotatedIn]: readonly Uint8Array[]) =>
  allOf({
    payee: abi.addressOf(payee),
    capacity: abi.numberOf(capacity, 32),
    source: abi.numberOf(source, 8),
    status: STATUSES[abi.numberOf(status, 8) ?? -1],
    since: abi.numberOf(since, 32),
    rotatedIn: abi.boolOf(rotatedIn),
  });

/** As the contract keeps it: a key that is registered has a meter and a beginning, and one that is over an end. */
function isConsistent({ meter, status, since, until, rotatedIn }: KeyOnChain, keyId: Hash): boolean {
  const isRegistered = status !== "none";
  const isOver = status === "superseded" || status === "decommissioned";
  const hasMeter = meter.some((byte) => byte !== 0);
  const isNamedAfterKey = equal(meter, keyId);
  return (
    hasMeter === isRegistered &&
    (since !== 0) === isRegistered &&
    (until !== 0) === isOver &&
    (!isRegistered || isNamedAfterKey !== rotatedIn)
  );
}

export type SettledLog = { size: number; root: Hash };

/** Size 0 = nothing of it is settled. */
export const settledLog = (at: Deployment, keyId: Hash, epoch: number): Promise<Answer<SettledLog>> =>
  onWattWitness(at, "logOf", abi.call(abi.SELECTOR.logOf, keyId, epoch), 2, ([size, root]) =>
    allOf({ size: abi.numberOf(size, 64), root }),
  );

/** The contract's own opinion of a reading at its place. */
export const isReadingSettled = (
  at: Deployment,
  keyId: Hash,
  epoch: number,
  placed: { index: number; reading: Uint8Array; proof: readonly Hash[] },
): Promise<Answer<boolean>> =>
  onWattWitness(at, "verifyReading", abi.callVerifyReading(keyId, epoch, placed), 1, ([word]) => abi.boolOf(word));

/** Who vouched for a root, and when (Unix time, s); the zero address = nobody. */
export const attestationOf = (at: Deployment, root: Hash): Promise<Answer<{ attestor: Hex; attestedAt: number }>> =>
  onWattWitness(at, "attestationOf", abi.call(abi.SELECTOR.attestationOf, root), 2, ([attestor, attestedAt]) =>
    allOf({ attestor: abi.addressOf(attestor), attestedAt: abi.numberOf(attestedAt, 48) }),
  );

export type Settlement = {
  keyId: Hash;
  attestation: Hash;
  epoch: number;
  fromSize: number;
  size: number;
  /** of the head's reading, Unix time (s) */
  timestamp: number;
  root: Hash;
  /** mWh */
  produced: bigint;
  transaction: Hash;
  block: number;
};

/** The settlements of a key in blocks `from` to `to`, in the chain's order. */
export function settlementsOf(at: Deployment, keyId: Hash, from: number, to: number): Promise<Answer<Settlement[]>> {
  const topics = [abi.TOPIC.Settled, null, toHex(keyId)];
  return events(at, at.wattWitness, topics, from, to, 8, settlementIn);
}

export function settlementIn({ topics, words, transaction, block }: Event): Settlement | undefined {
  const [, epoch, fromSize, size, timestamp, , produced, root] = words;
  return allOf({
    ...{ keyId: topics[2], attestation: topics[3], root, transaction, block },
    epoch: abi.numberOf(epoch, 32),
    fromSize: abi.numberOf(fromSize, 64),
    size: abi.numberOf(size, 64),
    timestamp: abi.numberOf(timestamp, 32),
    produced: abi.uintOf(produced, 64),
  });
}

/** The log that a key began with, if it did in blocks `from` to `to`: it is settled as of itself, and mints nothing. */
export async function baselineOf(
  at: Deployment,
  keyId: Hash,
  from: number,
  to: number,
): Promise<Answer<Settlement | undefined>> {
  const topics = [abi.TOPIC.Begun, toHex(keyId)];
  const found = await events(at, at.wattWitness, topics, from, to, 5, ({ words, transaction, block }) => {
    const [epoch, size, timestamp, , root] = words;
    return allOf({
      ...{ keyId, attestation: new Uint8Array(32), fromSize: 0, produced: 0n, root, transaction, block },
      epoch: abi.numberOf(epoch, 32),
      size: abi.numberOf(size, 64),
      timestamp: abi.numberOf(timestamp, 32),
    });
  });
  return found.ok ? answered(found.value[0]) : found;
}

/** The public key `x ‖ y` that was registered or rotated in under a key id. */
export async function publicKeyOnChain(
  at: Deployment,
  keyId: Hash,
  { rotatedIn }: Pick<KeyOnChain, "rotatedIn">,
  from: number,
): Promise<Answer<Uint8Array | undefined>> {
  const topics = rotatedIn ? [abi.TOPIC.KeyRotated, null, toHex(keyId)] : [abi.TOPIC.MeterRegistered, toHex(keyId)];
  const found = await events(
    at,
    at.registry,
    topics,
    from,
    at.block,
    rotatedIn ? 2 : 5,
    ({ words: [x, y] }) => x && y && new Uint8Array([...x, ...y]),
  );
  return found.ok ? answered(found.value[0]) : found;
}

/* HOW THEY ARE ASKED */

/** Of no block: the newest. */
type At = { chain: ChainReader; to: Hex; block?: number };

export const onWattWitness = <T>(
  { chain, wattWitness, block }: Deployment,
  name: string,
  data: Hex,
  count: number | undefined,
  from: (words: readonly Uint8Array[]) => T | undefined,
): Promise<Answer<T>> => view({ chain, to: wattWitness, block }, name, data, count, from);

export async function view<T>(
  { chain, to, block }: At,
  name: string,
  data: Hex,
  count: number | undefined,
  from: (words: readonly Uint8Array[]) => T | undefined,
): Promise<Answer<T>> {
  const answer = await ask(chain, "eth_call", [{ to, data }, block === undefined ? "latest" : tag(block)]);
  if (!answer.ok) return answer;
  const bytes = octets(answer.value);
  // a call to an account without code succeeds, with nothing
  if (bytes?.length === 0) return unanswered("no contract", `There is no contract at ${to} that knows ${name}.`);
  const words = bytes && abi.wordsOf(bytes, count);
  const value = words && from(words);
  return value === undefined
    ? unanswered("nonsense", `The chain's node answers ${name} of ${to} with what it cannot be.`)
    : answered(value);
}

export type Event = { topics: Uint8Array[]; words: Uint8Array[]; transaction: Hash; block: number };

/** Events of one contract, of `count` words each or, undefined, of any number. Any that was not asked for makes the answer `nonsense`. */
export async function events<T>(
  { chain }: Deployment,
  address: Hex,
  topics: readonly (string | null)[],
  from: number,
  to: number,
  count: number | undefined,
  read: (event: Event) => T | undefined,
): Promise<Answer<T[]>> {
  const logs = await logsIn(chain, { address, topics }, from, to);
  if (!logs.ok) return logs;
  const found = logs.value.map((log) => eventFrom(log, address, topics, count));
  const values = found.map((event) => (event && event.block >= from && event.block <= to ? read(event) : undefined));
  return values.includes(undefined)
    ? unanswered("nonsense", "The chain's node answers eth_getLogs with what was not asked for.")
    : answered(values as T[]);
}

export function eventFrom(
  log: unknown,
  address: Hex,
  asked: readonly (string | null)[],
  count: number | undefined,
): Event | undefined {
  if (typeof log !== "object" || log === null) return undefined;
  const { address: emitter, topics, data, transactionHash, blockNumber } = log as Record<string, unknown>;
  if (typeof emitter !== "string" || emitter.toLowerCase() !== address || !Array.isArray(topics)) return undefined;
  const found = topics.map(octets);
  const isAsked = asked.every((topic, i) => topic === null || (found[i] && toHex(found[i]) === topic));
  const words = abi.wordsOf(octets(data) ?? new Uint8Array(), count);
  const event = allOf({ words, transaction: octets(transactionHash), block: quantity(blockNumber) });
  const isWhole = found.length <= 4 && found.every((topic) => topic?.length === 32);
  return isAsked && isWhole && event?.transaction.length === 32
    ? { ...event, topics: found as Uint8Array[] }
    : undefined;
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** An object of what is all there. */
export const allOf = <T extends object>(values: T): Defined<T> | undefined =>
  Object.values(values).includes(undefined) ? undefined : (values as Defined<T>);
