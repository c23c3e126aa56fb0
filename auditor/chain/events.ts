/**
 * The events of the contracts, as a node tells them: each in the one form that it can have, in the chain's order, of blocks
 * that the node itself has with that hash and that transaction. What is not of that form makes the answer `nonsense`.
 */
import {
  type Abi,
  type AbiEvent,
  type DecodeEventLogReturnType,
  decodeEventLog,
  encodeAbiParameters,
  encodeEventTopics,
  type Hex,
} from "viem";
import {
  functionsAttestorAbi,
  hourlyCertificatesAbi,
  meterRegistryAbi,
  parkFactoryAbi,
  productionTokenAbi,
  restrictedParkAbi,
  wattWitnessAbi,
} from "../../contracts/abi.ts";
import { octets, quantity } from "../../verification/chain/asking.ts";

const ABIS = {
  registry: meterRegistryAbi,
  wattWitness: wattWitnessAbi,
  token: productionTokenAbi,
  attestor: functionsAttestorAbi,
  certificates: hourlyCertificatesAbi,
  factory: parkFactoryAbi,
  // it has all of an open one's events
  park: restrictedParkAbi,
} as const;

export type Contract = keyof typeof ABIS;

/** Addresses, in lower case, of which contract. */
export type Contracts = ReadonlyMap<Hex, Contract>;

type Told<C extends Contract> = { of: C } & DecodeEventLogReturnType<(typeof ABIS)[C]>;

export type At = { by: Hex; block: number; blockHash: Hex; transaction: Hex; transactionIndex: number; index: number };

type AnyTold = { [C in Contract]: Told<C> }[Contract];

export type ChainEvent = At & AnyTold;

/** Undefined where it is no event of these contracts, or in another form than they write. */
export function eventIn(log: unknown, contracts: Contracts): ChainEvent | undefined {
  const at = placeOf(log);
  const of = at && contracts.get(at.by);
  if (!at || !of) return undefined;
  const { topics, data } = log as { topics: unknown; data: unknown };
  if (!isHex(data) || !Array.isArray(topics) || !topics.every((each) => isHex(each) && each.length === 66)) {
    return undefined;
  }
  const told = decoded(ABIS[of], topics as Hex[], data);
  return told && ({ ...at, of, ...told } as ChainEvent);
}

const isHex = (json: unknown): json is Hex => octets(json) !== undefined;

function placeOf(log: unknown): At | undefined {
  if (typeof log !== "object" || log === null) return undefined;
  const { address, blockNumber, blockHash, transactionHash, transactionIndex, logIndex, removed } = log as Record<
    string,
    unknown
  >;
  const [block, index, place] = [quantity(blockNumber), quantity(logIndex), quantity(transactionIndex)];
  const isPlaced = block !== undefined && index !== undefined && place !== undefined && removed !== true;
  if (!isPlaced || !isHash(blockHash) || !isHash(transactionHash) || !isHex(address)) return undefined;
  const [by, hash, transaction] = [address, blockHash, transactionHash].map((each) => each.toLowerCase() as Hex);
  return { by, block, blockHash: hash, transaction, transactionIndex: place, index } as At;
}

const isHash = (json: unknown): json is Hex => octets(json)?.length === 32;

function decoded(abi: Abi, topics: Hex[], data: Hex): { eventName: string; args: unknown } | undefined {
  try {
    const told: unknown = decodeEventLog({ abi, topics: topics as [Hex], data, strict: true });
    const written = told as Written;
    return isAsWritten(abi, written, topics, data) ? written : undefined;
  } catch {
    return undefined;
  }
}

type Written = { eventName: string; args: Record<string, unknown> };

/** A decoder looks away where bits are set beyond a type's width. */
function isAsWritten(abi: Abi, { eventName, args = {} }: Written, topics: Hex[], data: Hex): boolean {
  const event = abi.find((item): item is AbiEvent => item.type === "event" && item.name === eventName) as AbiEvent;
  const plain = event.inputs.filter(({ indexed }) => !indexed);
  const values = plain.map(({ name }) => args[name as string]);
  const written = encodeEventTopics({ abi: [event], eventName, args } as never) as (Hex | null)[];
  return (
    encodeAbiParameters(plain, values).toLowerCase() === data.toLowerCase() &&
    written.length === topics.length &&
    written.every((topic, i) => topic?.toLowerCase() === topics[i]?.toLowerCase())
  );
}
