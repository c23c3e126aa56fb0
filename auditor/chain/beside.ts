/** What the views of certificates and parks say, at the block of the history, against what was replayed from their events. */
import type { Hex } from "viem";
import { hourlyCertificatesAbi, parkFactoryAbi, restrictedParkAbi } from "../../contracts/abi.ts";
import { type Finding, missing, refuted, said } from "../finding.ts";
import type { ReplayedBeside } from "../replay/beside.ts";
import type { Certificates } from "../replay/certificates.ts";
import { claimable, divided, type Kind, type Park } from "../replay/parks.ts";
import type { Replay } from "../replay/replay.ts";
import { ask, judgedAll, type Question } from "./compare.ts";
import type { History } from "./history.ts";

/** Asked for by number: there are fewer. */
const ALL = 1n << 32n;

export async function compareBeside(history: History, { certificates, parks }: ReplayedBeside, replayed: Replay) {
  const questions = certificates ? ofCertificates(history, certificates) : [];
  if (parks) questions.push(...ofFactory(history, parks), ...[...parks.values()].flatMap(ofPark));
  const findings = await judgedAll(history, questions);
  for (const park of parks?.values() ?? []) {
    findings.push(...(await metersOf(history, park)));
    for (const kind of park.kinds.values()) findings.push(...(await incomeOf(history, park, kind, replayed)));
  }
  return findings;
}

/* CERTIFICATES */

function ofCertificates({ deployment, beside }: History, certificates: Certificates): Question[] {
  const contract = { address: beside.certificates as Hex, abi: hourlyCertificatesAbi };
  const about = (view: string, expected: unknown, ...args: unknown[]): Question => ({ contract, view, args, expected });
  return [
    about("wattWitness", deployment.wattWitness),
    about("token", deployment.token),
    ...[...certificates.issued.values()].map(({ id, meter, start, end, energy, redeemed }) =>
      about("certificateOf", { meter, start, end, energy, redeemed }, id),
    ),
    ...[...certificates.hours].flatMap(([meter, hours]) =>
      [...wordsOf(hours)].map(([word, bits]) => about("issuedHours", bits, meter, word)),
    ),
    ...[...certificates.balances].flatMap(([holder, own]) =>
      [...own].map(([id, balance]) => about("balanceOf", balance, holder, id)),
    ),
  ];
}

/** Of the hours that ever were issued, 256 in a word, those that are: a bit each. */
function wordsOf(hours: ReadonlyMap<number, bigint | undefined>): Map<bigint, bigint> {
  const words = new Map<bigint, bigint>();
  for (const [hour, id] of hours) {
    const bit = id === undefined ? 0n : 1n << BigInt(hour % 256);
    const word = BigInt(Math.floor(hour / 256));
    words.set(word, (words.get(word) ?? 0n) | bit);
  }
  return words;
}

/* PARKS */

function ofFactory({ deployment, beside }: History, parks: ReadonlyMap<Hex, Park>): Question[] {
  const contract = { address: beside.factory as Hex, abi: parkFactoryAbi };
  const about = (view: string, expected: unknown, ...args: unknown[]): Question => ({ contract, view, args, expected });
  return [
    about("registry", deployment.registry),
    ...(beside.certificates ? [about("certificates", beside.certificates)] : []),
    about("parkCount", parks.size),
    ...[...parks.keys()].map((park) => about("isPark", true, park)),
  ];
}

function ofPark({ park, holders, supply, kinds, meters, permitted, manager, powers, timelock }: Park): Question[] {
  const contract = { address: park, abi: restrictedParkAbi };
  const about = (view: string, expected: unknown, ...args: unknown[]): Question => ({ contract, view, args, expected });
  return [
    ...[about("totalSupply", supply), about("kinds", [...kinds.keys()]), about("meterCount", meters.size)],
    ...[about("manager", manager), about("powers", powers), about("timelock", timelock)],
    ...[...holders].map(([holder, shares]) => about("balanceOf", shares, holder)),
    ...[...permitted].map(([meter, keyId]) => about("permittedKeyOf", keyId, meter)),
  ];
}

/** They are told in no order. */
async function metersOf(history: History, { park, meters }: Park): Promise<Finding[]> {
  const contract = { address: park, abi: restrictedParkAbi };
  const answer = await ask(history, { contract, view: "meters", args: [0n, ALL] });
  const [object, where] = [`meters of park ${park}`, { block: history.block.number }];
  if (!answer.ok) return [missing(answer.why.rule, object, answer.why.says, where)];
  const [should, is] = [[...meters], answer.value as Hex[]].map((each) => said([...each].map(said).sort()));
  return should === is ? [] : [refuted("view", object, should, is, where)];
}

/**
 * A view counts what came in since: of the production token that is what is here and was not counted; of another kind it is
 * what it says itself, and only how it is divided is looked at.
 */
async function incomeOf(history: History, { park, holders, supply }: Park, kind: Kind, replayed: Replay) {
  const contract = { address: park, abi: restrictedParkAbi };
  const about = (view: string, args: unknown[], expected: unknown): Question => ({ contract, view, args, expected });
  const answer = await ask(history, { contract, view: "accountOf", args: [kind.kind] });
  const [object, where] = [`accountOf(${kind.kind}) of park ${park}`, { block: history.block.number }];
  if (!answer.ok) return [missing(answer.why.rule, object, answer.why.says, where)];
  const [received] = answer.value as [bigint, bigint, bigint];
  const isToken = kind.kind === history.deployment.token;
  const here = isToken ? (replayed.balances.get(park) ?? 0n) : received - kind.claimed;
  const now = divided(kind, here - kind.held, supply);
  const expected = [now.claimed + now.held, now.claimed, now.carry];
  const findings =
    said(expected) === said(answer.value) ? [] : [refuted("view", object, expected, answer.value, where)];
  for (const holder of new Set([...holders.keys(), ...kind.parts.keys()])) {
    const part = await ask(history, about("claimableOf", [holder], undefined));
    const name = `claimableOf(${holder}) of park ${park}`;
    if (!part.ok) {
      findings.push(missing(part.why.rule, name, part.why.says, where));
      continue;
    }
    const own = (part.value as { kind: Hex; amount: bigint }[]).find((each) => said(each.kind) === kind.kind)?.amount;
    const should = claimable(now, holder, holders.get(holder) ?? 0n);
    if (own !== should) findings.push(refuted("view", name, `${should} of ${kind.kind}`, own ?? "none", where));
  }
  return findings;
}
