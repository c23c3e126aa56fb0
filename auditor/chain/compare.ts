/** What the contracts' views say, at the block of the history, against what was replayed from their events. */
import type { Abi, Hex } from "viem";
import { functionsAttestorAbi, meterRegistryAbi, productionTokenAbi, wattWitnessAbi } from "../../contracts/abi.ts";
import { type Answer, ask as askNode, tag } from "../../verification/chain/asking.ts";
import { type Finding, missing, refuted, said } from "../finding.ts";
import { currentOf, type Key, latestOf, type Meter } from "../replay/keys.ts";
import type { Replay, Terms } from "../replay/replay.ts";
import type { Block, History } from "./history.ts";
import { viewOf } from "./views.ts";

/** Questions to a node at once. */
const AT_ONCE = 16;

type Contract = { address: Hex; abi: Abi };
/** `view`: what is expected of it; of a struct, of the fields that are named. */
export type Question = { contract: Contract; view: string; args: readonly unknown[]; expected: unknown };

export const ask = (history: History, { contract, view, args }: Omit<Question, "expected">): Promise<Answer<unknown>> =>
  viewOf({ chain: history.chain, block: history.block.number }, contract, view as never, args as never);

const onWattWitness = ({ deployment }: History): Contract => ({ address: deployment.wattWitness, abi: wattWitnessAbi });
const onRegistry = ({ deployment }: History): Contract => ({ address: deployment.registry, abi: meterRegistryAbi });

/** What the contracts fix for ever, which no event says. */
export async function termsOf(history: History): Promise<Answer<Terms>> {
  const after = await ask(history, { contract: onWattWitness(history), view: "unattestedAfter", args: [] });
  if (!after.ok) return after;
  const ceiling = await ask(history, { contract: onRegistry(history), view: "capacityCeiling", args: [] });
  if (!ceiling.ok) return ceiling;
  return { ok: true, value: { unattestedAfter: after.value as number, capacityCeiling: ceiling.value as number } };
}

export async function compareViews(history: History, replayed: Replay, sourceHash?: Hex): Promise<Finding[]> {
  const questions = [
    ...[...replayed.keys.values()].filter(({ logs }) => logs.size > 0).flatMap((key) => ofKey(history, key)),
    ...[...replayed.meters.values()].flatMap((meter) => ofMeter(history, meter)),
    ...[...replayed.attestations.values()].map(({ root, attestor, attestedAt }) => ({
      ...{ contract: onWattWitness(history), view: "attestationOf", args: [root], expected: [attestor, attestedAt] },
    })),
    ...ofToken(history, replayed),
    ...history.attestors.flatMap((address) => ofAttestor(history, address, sourceHash)),
  ];
  const findings = await judgedAll(history, questions);
  if (sourceHash !== undefined) findings.push(...(await withoutSource(history)));
  return findings;
}

export async function judgedAll(history: History, questions: readonly Question[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (let i = 0; i < questions.length; i += AT_ONCE) {
    const some = questions.slice(i, i + AT_ONCE);
    const found = await Promise.all(some.map((question) => judged(history, question)));
    findings.push(...found.flatMap((finding) => (finding ? [finding] : [])));
  }
  return findings;
}

/** A contract that attests, and does not say what its DON runs. Of an account there is nothing to ask. */
async function withoutSource({ chain, block, otherAttestors }: History): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const attestor of otherAttestors) {
    const code = await askNode(chain, "eth_getCode", [attestor, tag(block.number)]);
    if (code.ok && code.value === "0x") continue;
    const says = code.ok ? "it attests, and does not say which source its DON runs" : code.why.says;
    findings.push(missing("no source", attestor, says, { block: block.number }));
  }
  return findings;
}

async function judged(history: History, question: Question): Promise<Finding | undefined> {
  const { view, args, expected } = question;
  const object = `${view}(${args.map(String).join(", ")})`;
  const where = { block: history.block.number };
  const answer = await ask(history, question);
  if (!answer.ok) return missing(answer.why.rule, object, answer.why.says, where);
  const found = asExpected(answer.value, expected);
  return said(found) === said(expected) ? undefined : refuted("view", object, expected, found, where);
}

/** Of a struct, the fields that are expected. */
function asExpected(found: unknown, expected: unknown): unknown {
  if (Array.isArray(expected) || typeof expected !== "object" || expected === null) return found;
  return Object.fromEntries(Object.keys(expected).map((name) => [name, (found as Record<string, unknown>)[name]]));
}

function ofKey(history: History, key: Key): Question[] {
  const { keyId, meter, payee, capacity, source, status, since, until, rotatedIn, raised, epoch, settledAt } = key;
  const contract = onWattWitness(history);
  const latest = latestOf(key);
  const about = (view: string, expected: unknown, ...more: unknown[]): Question => ({
    ...{ contract, view, args: [keyId, ...more], expected },
  });
  return [
    about("meterOf", meter),
    about("intervalOf", [since, until]),
    about("termsOf", { payee, capacity, source, status, since, rotatedIn, raised }),
    about("latestOf", { ...latest, epoch, settledAt, produced: key.produced }),
    ...[...key.logs]
      .filter(([each]) => each !== epoch)
      .flatMap(([each, { size, root }]) => {
        const gap = key.gaps.get(each) ?? { since: 0, until: 0, energyBefore: 0n, energyAfter: 0n, room: 0n };
        return [about("logOf", [size, root], each), about("gapOf", gap, each)];
      }),
  ];
}

function ofMeter(history: History, meter: Meter): Question[] {
  const key = currentOf(meter);
  if (!key || key.logs.size === 0) return [];
  const { timestamp } = latestOf(key);
  const expected = {
    ...{ owner: meter.owner, payout: key.payee, keyId: key.keyId, keyCount: meter.keys.length, status: key.status },
    ...{ capacity: key.capacity, source: key.source, details: meter.details, timestamp, settledAt: key.settledAt },
    ...{ produced: meter.before + key.produced, ...(!meter.watcherMayBeGone && { watcher: meter.watcher }) },
  };
  return [{ contract: onRegistry(history), view: "meterOf", args: [meter.meter], expected }];
}

function ofToken(history: History, { minted, retired, retirements, balances }: Replay): Question[] {
  const contract = { address: history.deployment.token, abi: productionTokenAbi };
  const about = (view: string, expected: unknown, ...args: unknown[]): Question => ({ contract, view, args, expected });
  return [
    about("minter", history.deployment.wattWitness),
    about("totalSupply", minted - retired),
    about("totalRetired", retired),
    about("retirements", retirements.length),
    ...[...balances].map(([holder, balance]) => about("balanceOf", balance, holder)),
    ...retirements.map(({ where, ...each }) => about("retirement", each, each.serial)),
  ];
}

function ofAttestor(history: History, address: Hex, sourceHash?: Hex): Question[] {
  const contract = { address, abi: functionsAttestorAbi };
  const about = (view: string, expected: unknown): Question => ({ contract, view, args: [], expected });
  return [
    about("wattWitness", history.deployment.wattWitness),
    ...(sourceHash === undefined ? [] : [about("sourceHash", sourceHash)]),
  ];
}

/** Whether the chain is still the one that was read. */
export function stillThere(history: History, now: Answer<Block>): Finding[] {
  const { number, hash } = history.block;
  if (!now.ok) return [missing(now.why.rule, `block ${number}`, now.why.says, { block: number })];
  return now.value.hash === hash
    ? []
    : [missing("reorganised", `block ${number}`, `it was ${hash}, and is ${now.value.hash} now`, { block: number })];
}
