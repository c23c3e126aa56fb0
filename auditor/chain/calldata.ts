/**
 * What was sent in a transaction: signatures are in no event. A call may be wrapped in another, of a wallet or a timelock, so
 * it is looked for at every byte; what is found is believed by its signature alone.
 */
import { type Abi, decodeFunctionData, encodeFunctionData, type Hex, toFunctionSelector } from "viem";
import { meterRegistryAbi, wattWitnessAbi } from "../../contracts/abi.ts";
import { type Answer, answered, ask, octets, unanswered } from "../../verification/chain/asking.ts";
import type { ChainReader } from "../../verification/chain/reader.ts";

type Head = { epoch: number; size: bigint; reading: Hex; root: Hex };
type Key = { x: Hex; y: Hex };
type Signature = { r: Hex; s: Hex };
export type SettleItem = { key: Key; head: Head; signature: Signature };
export type NewKey = { key: Key; baseline: Head; claim: Signature };
export type Registration = NewKey & { owner: Hex; capacity: number; source: number; details: Hex };
export type Rotate = { meter: Hex; newKey: NewKey; key?: Key; rotation?: Signature };

export type PlacedReading = { index: bigint; reading: Hex; proof: readonly Hex[] };
export type Equivocation = {
  key: Key;
  first: Head;
  firstSignature: Signature;
  second: Head;
  secondSignature: Signature;
  one: PlacedReading;
  other: PlacedReading;
};

/** `to`: in lower case; undefined = it made a contract */
export type Sent = { to: Hex | undefined; input: Hex };

export async function sentIn(chain: ChainReader, hash: Hex): Promise<Answer<Sent>> {
  const answer = await ask(chain, "eth_getTransactionByHash", [hash]);
  if (!answer.ok) return answer;
  const { hash: own, to, input } = (answer.value ?? {}) as Record<string, unknown>;
  return octets(input) && String(own).toLowerCase() === hash
    ? answered({ to: typeof to === "string" ? (to.toLowerCase() as Hex) : undefined, input: input as Hex })
    : unanswered("nonsense", `The chain's node does not have transaction ${hash}.`);
}

export const settleItemsIn = (input: Hex): SettleItem[] =>
  callsIn(input, wattWitnessAbi, "settle").flatMap(([, items]) => items as SettleItem[]);

export const registrationsIn = (input: Hex): Registration[] =>
  wordsIn(input, meterRegistryAbi, "register").map(([registration]) => registration as Registration);

export const rotationsIn = (input: Hex): Rotate[] => [
  ...wordsIn(input, meterRegistryAbi, "rotate").map(([meter, newKey, key, rotation]) => ({
    ...({ meter, newKey, key, rotation } as Required<Rotate>),
  })),
  ...wordsIn(input, meterRegistryAbi, "replaceKey").map(([meter, newKey]) => ({ meter, newKey }) as Rotate),
];

export const equivocationsIn = (input: Hex): Equivocation[] =>
  callsIn(input, wattWitnessAbi, "proveEquivocation").map(([equivocation]) => equivocation as Equivocation);

/** Calls whose arguments can be written in one way only: a decoder looks away where bits are set beyond a type's width. */
const wordsIn = (input: Hex, abi: Abi, functionName: string): (readonly unknown[])[] =>
  callsIn(input, abi, functionName).filter((args) => {
    try {
      return input.toLowerCase().includes(encodeFunctionData({ abi, functionName, args }).slice(2));
    } catch {
      return false;
    }
  });

function callsIn(input: Hex, abi: Abi, functionName: string): (readonly unknown[])[] {
  const item = abi.find((each) => each.type === "function" && each.name === functionName);
  const selector = toFunctionSelector(item as never).slice(2);
  const calls: (readonly unknown[])[] = [];
  for (let at = input.indexOf(selector, 2); at !== -1; at = input.indexOf(selector, at + 1)) {
    if (at % 2 !== 0) continue;
    try {
      calls.push(decodeFunctionData({ abi: [item] as Abi, data: `0x${input.slice(at)}` }).args ?? []);
    } catch {
      // the same four bytes by chance
    }
  }
  return calls;
}
