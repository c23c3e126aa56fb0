/**
 * A monitor, as those of Certificate Transparency: it looks at what places say of every log, and at the chain, holds it against all
 * that it saw before, and raises an alarm on what cannot be honest. It never asks whether somebody looks honest.
 */
import { encodeFunctionData, type Hex } from "viem";
import { wattWitnessAbi } from "../../contracts/abi.ts";
import { BATCH_LIMIT, domain, encodeHead, fromHex, isSize, toHex, verify } from "../../protocol/index.ts";
import { askNumber } from "../../verification/chain/asking.ts";
import type { ChainReader } from "../../verification/chain/reader.ts";
import type { Equivocation } from "../chain/calldata.ts";
import { termsOf } from "../chain/compare.ts";
import { type Deployment, historyOf } from "../chain/history.ts";
import { native } from "../evidence/native.ts";
import { batchPath, type Place } from "../evidence/places.ts";
import { type Checkpoint, entriesFrom, logIn, logPath, readingsIn, WIDTH } from "../evidence/tiles.ts";
import { whyNot } from "../replay/equivocations.ts";
import type { Key } from "../replay/keys.ts";
import { type Replay, replay } from "../replay/replay.ts";
import { logName, openState, type Prefix, type SeenHead, type Store } from "./state.ts";
import { bareEquivocationOf, contradictionOf, grown, NO_READINGS, rootOver, type Story } from "./story.ts";
import { answers, epochsAt, headAt, jsonAt } from "./told.ts";

/** `alarm`: something that must not be. `unseen`: nobody could look, for want of something. */
export type Notice = {
  is: "alarm" | "unseen";
  rule:
    | ("equivocation" | "log went back" | "head not signed" | "settled another log" | "batch gone")
    | ("chain unread" | "no answer" | "no readings" | "not served" | "no batch");
  object: string;
  says: string;
  place?: string;
  /** the transaction that proves an equivocation, which anybody may send: it freezes the meter */
  call?: { to: Hex; data: Hex };
};

export type Watched = { notices: Notice[]; block?: number; logs: number; batches: number };

export type Watching = {
  chain: ChainReader;
  registry: Hex;
  fromBlock?: number | undefined;
  /** oracles and mirrors */
  places: readonly Place[];
  /** a folder of what was seen */
  state: string;
  /** Unix time, s */
  now: number;
  /** s after which a batch is fetched again; 0 = at every look */
  batchesEvery?: number | undefined;
};

/** One look at everything. */
export async function watch(watching: Watching): Promise<Watched> {
  const { chain, registry, fromBlock = 0, places } = watching;
  const notices: Notice[] = [];
  const unread = ({ says }: { says: string }): Watched => ({
    ...{ notices: [{ is: "unseen", rule: "chain unread", object: "the chain", says }], logs: 0, batches: 0 },
  });
  const chainId = await askNumber(chain, "eth_chainId");
  if (!chainId.ok) return unread(chainId.why);
  const history = await historyOf(chain, { place: { chainId: chainId.value, registry }, fromBlock });
  if (!history.ok) return unread(history.why);
  const terms = await termsOf(history.value);
  if (!terms.ok) return unread(terms.why);
  const { deployment, block } = history.value;
  const replayed = replay(history.value, terms.value);

  const store = await openState(watching.state, chainId.value, registry);
  const there = await Promise.all(places.map(answers));
  const asked = places.filter((_, i) => there[i]);
  for (const { name } of places.filter((_, i) => !there[i])) {
    notices.push({ is: "unseen", rule: "no answer", object: name, says: "it does not answer", place: name });
  }
  const look: Look = { deployment, replayed, places: asked, store, notices };
  const logs = await lookAtLogs(look);
  await lookAtTold(look);
  const batches = await lookAtBatches(look, watching, asked.length === places.length);
  await store.save();
  return { notices, block: block.number, logs, batches };
}

type Look = { deployment: Deployment; replayed: Replay; places: readonly Place[]; store: Store; notices: Notice[] };

type Log = { key: Key; epoch: number; name: string; object: string };

/* LOGS */

async function lookAtLogs(look: Look): Promise<number> {
  const { replayed, places, store } = look;
  let count = 0;
  for (const key of replayed.keys.values()) {
    const { keyId } = key;
    const seen = Object.keys(store.state.logs).flatMap((name) =>
      name.startsWith(keyId) ? [Number(name.slice(67))] : [],
    );
    const told = await Promise.all(places.map((place) => epochsAt(place, keyId)));
    for (const epoch of new Set([...key.logs.keys(), ...seen, ...told.flat()])) {
      const log = { key, epoch, name: logName(keyId, epoch), object: logPath(keyId, epoch) };
      for (const place of places) await lookAtHead(look, log, place);
      await compareWithChain(look, log);
      count += 1;
    }
  }
  return count;
}

async function lookAtHead(look: Look, log: Log, place: Place): Promise<void> {
  const { notices, store, deployment } = look;
  const { key, epoch, object, name } = log;
  const note = (is: Notice["is"], rule: Notice["rule"], says: string) =>
    notices.push({ is, rule, object, says, place: place.name });
  const before = store.state.logs[name]?.places[place.name];
  const told = await headAt(place, key.keyId, epoch);
  if (told.is === "no answer") return void note("unseen", "no answer", "it does not answer for this log");
  if (told.is === "no head") return void note("alarm", "head not signed", "it shows what is no head");
  if (told.is === "nothing") {
    if (before) note("alarm", "log went back", `it had ${before.size} readings, and shows none now`);
    return;
  }
  const head = await signedHead(deployment, key, epoch, told.head);
  if (!head) return void note("alarm", "head not signed", "it shows a head that its key did not sign");
  if (before && head.size < before.size) {
    note("alarm", "log went back", `it had ${before.size} readings, and shows ${head.size} now`);
  }
  if (before?.size === head.size && before.root === head.root) return;
  const prefix = await joined(look, log, head, place);
  const places = store.state.logs[name]?.places;
  if (prefix && places && !(before && before.size > head.size)) places[place.name] = prefix;
}

async function signedHead(
  { chainId, registry }: Deployment,
  { publicKey }: Key,
  epoch: number,
  { size, root, reading, signature }: Checkpoint,
): Promise<SeenHead | undefined> {
  if (!reading || !signature || !isSize(size)) return undefined;
  const statement = encodeHead(domain("head", { chainId, registry }), { epoch, size, reading, root });
  const signed = await verify(statement, signature, fromHex(publicKey));
  return signed.ok ? { size, root: toHex(root), reading: toHex(reading), signature: toHex(signature) } : undefined;
}

/** What a head is of, if that is the log that was seen before, which goes on where it is longer. */
async function joined(look: Look, log: Log, head: SeenHead, place: Place): Promise<Prefix | undefined> {
  const { store } = look;
  const { key, epoch, name } = log;
  const seen = store.state.logs[name];
  const own = seen ? { ...seen.head, frontier: seen.frontier } : NO_READINGS;
  if (seen && head.size === own.size) {
    if (head.root === own.root && head.reading === seen.head.reading) return prefixOf(own);
    await tell(look, log, bareEquivocationOf(key.publicKey, epoch, seen.head, head), place);
    return undefined;
  }
  if (seen && head.size < own.size) {
    const prefix = await seenPrefix(look, log, head.size, seen.places[place.name]);
    if (prefix.root === head.root) return prefix;
  } else {
    const more = await readingsAt(place, key.keyId, epoch, own.size, head.size);
    const prefix = more && grown(own, more);
    if (more && prefix?.root === head.root && toHex(more.subarray(-32)) === head.reading) {
      await store.append(key.keyId, epoch, own.size, more);
      store.state.logs[name] = { ...(seen ?? { places: {} }), head, frontier: prefix.frontier };
      return prefix;
    }
  }
  await compareStories(look, log, head, place);
  return undefined;
}

const prefixOf = ({ size, root, frontier }: Prefix): Prefix => ({ size, root, frontier });

/** The first `size` readings that were seen, from those on that are known. */
async function seenPrefix({ store }: Look, { key, epoch }: Log, size: number, known?: Prefix): Promise<Prefix> {
  const from = known && known.size < size ? known : NO_READINGS;
  return grown(from, await store.readings(key.keyId, epoch, from.size, size));
}

/** It does not join what was seen: with all of its readings, which lead to it, that is proven. */
async function compareStories(look: Look, log: Log, head: SeenHead, place: Place): Promise<void> {
  const { store, notices } = look;
  const { key, epoch, object, name } = log;
  const seen = store.state.logs[name];
  const readings = await readingsAt(place, key.keyId, epoch, 0, head.size);
  const isShown = readings !== undefined && rootOver(readings) === head.root;
  const story: Story | undefined = isShown ? { head, readings } : undefined;
  const own = seen && { head: seen.head, readings: await store.readings(key.keyId, epoch, 0, seen.head.size) };
  const equivocation = story && own && contradictionOf(key.publicKey, epoch, own, story);
  if (equivocation) await tell(look, log, equivocation, place);
  else {
    const says = `it shows a signed head of ${head.size} readings, and not the readings that lead to it`;
    notices.push({ is: "unseen", rule: "no readings", object, says, place: place.name });
  }
}

async function readingsAt(
  place: Place,
  keyId: Hex,
  epoch: number,
  from: number,
  size: number,
): Promise<Uint8Array | undefined> {
  const log = await logIn(place, keyId, epoch);
  const parts: Uint8Array[] = [];
  for (let index = Math.floor(from / WIDTH); index * WIDTH < size; index++) {
    const start = index * WIDTH;
    const bundle = await entriesFrom(log, index, Math.min(WIDTH, size - start));
    if (!bundle) return undefined;
    parts.push(readingsIn(bundle).subarray(32 * Math.max(0, from - start)));
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** Only what the contract takes is an alarm with a transaction. */
async function tell(look: Look, { key, object }: Log, equivocation: Equivocation, place: Place): Promise<void> {
  const { deployment, replayed, notices } = look;
  // what was proven is known: its key is frozen, or its time over
  if (replayed.equivocations.some(({ keyId }) => keyId === key.keyId)) return;
  const { chainId, registry, wattWitness } = deployment;
  const problem = await whyNot({ chainId, registry }, equivocation, fromHex(key.publicKey));
  if (problem) {
    const says = `it shows what does not join what was seen, and proves nothing: ${problem}`;
    notices.push({ is: "unseen", rule: "no readings", object, says, place: place.name });
    return;
  }
  const data = encodeFunctionData({ abi: wattWitnessAbi, functionName: "proveEquivocation", args: [equivocation] });
  const { first, second } = equivocation;
  const says = `its key signed two heads that contradict each other, of ${first.size} and ${second.size} readings`;
  notices.push({ is: "alarm", rule: "equivocation", object, says, place: place.name, call: { to: wattWitness, data } });
}

/** What is settled must be what was seen, and somebody must have it. */
async function compareWithChain(look: Look, log: Log): Promise<void> {
  const { store, notices } = look;
  const { key, epoch, name, object } = log;
  const settled = key.logs.get(epoch);
  const seen = store.state.logs[name];
  if (!settled || (epoch === key.begun.epoch && settled.size === key.begun.size)) return;
  const { size, root } = settled;
  if (seen?.settled?.size === size && seen.settled.root === root) return;
  if (!seen || seen.head.size < size) {
    const says = `${size} readings are settled, and no place has shown more than ${seen?.head.size ?? 0}`;
    notices.push({ is: "unseen", rule: "not served", object, says });
    return;
  }
  const prefix = await seenPrefix(look, log, size, seen.settled);
  if (prefix.root === root) {
    seen.settled = prefix;
    return;
  }
  const says = `the chain settled another log of ${size} readings than was seen: its key told two stories`;
  notices.push({ is: "alarm", rule: "settled another log", object, says });
}

/* WHAT ORACLES KEPT THEMSELVES */

/** An oracle keeps what proves that a device told it two stories. */
async function lookAtTold(look: Look): Promise<void> {
  const { replayed, places, notices } = look;
  for (const place of places) {
    const list = ((await jsonAt(place, "equivocations")) as { equivocations?: unknown } | undefined)?.equivocations;
    for (const each of Array.isArray(list) ? list : []) {
      const { keyId, epoch } = (each ?? {}) as { keyId?: Hex; epoch?: number };
      const key = keyId && replayed.keys.get(keyId);
      const object = key && logPath(key.keyId, Number(epoch));
      if (!key || !object) continue;
      if (notices.some((notice) => notice.rule === "equivocation" && notice.object === object)) continue;
      const told = (await jsonAt(place, `equivocations/${keyId}/${Number(epoch)}`)) as { equivocation?: unknown };
      const equivocation = equivocationIn(told?.equivocation);
      const log = { key, epoch: Number(epoch), name: logName(key.keyId, Number(epoch)), object };
      if (equivocation) await tell(look, log, equivocation, place);
    }
  }
}

/** As the contract takes it; undefined where it is of another form. */
function equivocationIn(json: unknown): Equivocation | undefined {
  try {
    const { first, second, one, other, ...signed } = json as Equivocation;
    const equivocation = {
      ...signed,
      first: { ...first, size: BigInt(first.size) },
      second: { ...second, size: BigInt(second.size) },
      one: { ...one, index: BigInt(one.index) },
      other: { ...other, index: BigInt(other.index) },
    };
    encodeFunctionData({ abi: wattWitnessAbi, functionName: "proveEquivocation", args: [equivocation] });
    return equivocation;
  } catch {
    return undefined;
  }
}

/* BATCHES */

async function lookAtBatches(look: Look, { now, batchesEvery = 0 }: Watching, isWhole: boolean): Promise<number> {
  const { replayed, places, store, notices } = look;
  const settled = new Set(replayed.settlements.map(({ attestation }) => attestation));
  const named = [...replayed.requests.values()].filter(
    ({ answer, root }) => answer === "confirmed" && settled.has(root),
  );
  const digests = new Set(named.map(({ digest }) => digest));
  for (const digest of digests) {
    const known = store.state.batches[digest];
    if (known && now - known.at < batchesEvery) continue;
    const serving: string[] = [];
    for (const place of places) {
      const bytes = await place.get(batchPath(digest), BATCH_LIMIT);
      if (bytes && toHex(native.sha256(bytes)) === digest) serving.push(place.name);
    }
    if (serving.length > 0) {
      store.state.batches[digest] = { had: [...new Set([...(known?.had ?? []), ...serving])], at: now };
    } else if (known && isWhole) {
      const says = `nobody serves it any more: ${known.had.join(", ")} did`;
      notices.push({ is: "alarm", rule: "batch gone", object: `batch ${digest}`, says });
    } else {
      const says = known ? "no place that answers serves it" : "no place has ever served it";
      notices.push({ is: "unseen", rule: "no batch", object: `batch ${digest}`, says });
    }
  }
  return digests.size;
}
