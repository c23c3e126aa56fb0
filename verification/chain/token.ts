/** What the token says: how much of it there is, and what was retired. */
import type { Place } from "../../protocol/index.ts";
import type { Hex } from "../proof.ts";
import * as abi from "./abi.ts";
import { type Answer, answered, unanswered } from "./asking.ts";
import type { ChainReader } from "./reader.ts";
import { allOf, type Deployment, deploymentAt, events, onWattWitness, view } from "./views.ts";

/** A token is a kWh, of 10^18 units. */
export const UNITS_PER_MWH = 10n ** 12n;

/** A deployment with its token. */
export type TokenAt = Deployment & { token: Hex };

/** Refuses what `deploymentAt` refuses. */
export async function tokenAt(chain: ChainReader, place: Place): Promise<Answer<TokenAt>> {
  const at = await deploymentAt(chain, place);
  if (!at.ok) return at;
  const token = await onWattWitness(at.value, "token", abi.SELECTOR.token, 1, ([word]) => abi.addressOf(word));
  return token.ok ? answered({ ...at.value, token: token.value }) : token;
}

/** Units. */
export type Totals = { supply: bigint; retired: bigint };

export async function totalsOf(at: TokenAt): Promise<Answer<Totals>> {
  const [supply, retired] = await Promise.all([numberOfToken(at, "totalSupply"), numberOfToken(at, "totalRetired")]);
  if (!supply.ok) return supply;
  return retired.ok ? answered({ supply: supply.value, retired: retired.value }) : retired;
}

const numberOfToken = (
  { chain, token, block }: TokenAt,
  name: "totalSupply" | "totalRetired" | "retirements",
): Promise<Answer<bigint>> =>
  view({ chain, to: token, block }, name, abi.SELECTOR[name], 1, ([word]) => abi.uintOf(word, 256));

export type Retirement = {
  serial: bigint;
  from: Hex;
  /** Unix time, s */
  retiredAt: number;
  /** units */
  amount: bigint;
  /** the zero address = nobody who has one */
  beneficiary: Hex;
  /** in the retirer's words: anybody's, of any length */
  name: string;
  purpose: string;
};

/** A retirement as the contract has it, and where its event is; without one the node does not show it. */
export type Certificate = { at: TokenAt; retirement: Retirement; event?: { transaction: Uint8Array; block: number } };

/** Undefined = there is none of this serial. Refuses `contradicts itself`, too: the event tells of another. */
export async function certificateOf(
  at: TokenAt,
  serial: number,
  fromBlock: number,
): Promise<Answer<Certificate | undefined>> {
  const count = await numberOfToken(at, "retirements");
  if (!count.ok) return count;
  if (serial < 1 || BigInt(serial) > count.value) return answered(undefined);
  const { chain, token, block } = at;
  const [retirement, found] = await Promise.all([
    view({ chain, to: token, block }, "retirement", abi.call(abi.SELECTOR.retirement, serial), undefined, retirementIn),
    events(at, token, [abi.TOPIC.Retired, `0x${abi.word(serial)}`], fromBlock, block, undefined, (event) => {
      const [, , from, beneficiary] = event.topics.map(abi.addressOf);
      return allOf({ ...event, from, beneficiary, amount: abi.uintOf(event.words[0], 256) });
    }),
  ]);
  if (!retirement.ok) return retirement;
  const event = found.ok ? found.value[0] : undefined;
  const { value } = retirement;
  const told = (["from", "beneficiary", "amount"] as const).every((name) => !event || event[name] === value[name]);
  if (!told || value.serial !== BigInt(serial)) {
    return unanswered("contradicts itself", "The chain's node tells of this retirement in two ways: ask another.");
  }
  return answered({ at, retirement: value, ...(event && { event }) });
}

function retirementIn([, ...words]: readonly Uint8Array[]): Retirement | undefined {
  const [serial, from, retiredAt, amount, beneficiary] = words;
  return allOf({
    ...{ serial: abi.uintOf(serial, 256), from: abi.addressOf(from), retiredAt: abi.numberOf(retiredAt, 40) },
    ...{ amount: abi.uintOf(amount, 256), beneficiary: abi.addressOf(beneficiary) },
    ...{ name: abi.textOf(words, 5), purpose: abi.textOf(words, 6) },
  });
}
