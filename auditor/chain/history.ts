/**
 * Everything that the contracts ever told, read whole from one node and up to one block. Who attests is told by events, so
 * that attestors are found by themselves.
 */
import { type Hex, keccak256, stringToBytes } from "viem";
import { functionsAttestorAbi } from "../../contracts/abi.ts";
import type { Place } from "../../protocol/index.ts";
import { type Answer, answered, ask, quantity, tag, unanswered } from "../../verification/chain/asking.ts";
import { logsIn, type Watch } from "../../verification/chain/ranges.ts";
import type { ChainReader } from "../../verification/chain/reader.ts";
import { tokenAt } from "../../verification/chain/token.ts";
import { type ChainEvent, type Contract, type Contracts, eventIn } from "./events.ts";
import { viewOf } from "./views.ts";

export type Block = { number: number; hash: Hex; timestamp: number; transactions: readonly Hex[] };

/** What stands beside a deployment; absent = nothing of it is looked at. */
export type Beside = {
  /** HourlyCertificates */
  certificates?: Hex | undefined;
  /** ParkFactory */
  factory?: Hex | undefined;
};

export type Deployment = { chainId: number; registry: Hex; wattWitness: Hex; token: Hex };

export type History = {
  chain: ChainReader;
  deployment: Deployment;
  /** the newest that was looked at: views are asked at it */
  block: Block;
  /** in the chain's order */
  events: readonly ChainEvent[];
  /** of every block with an event */
  blocks: ReadonlyMap<number, Block>;
  /** of who ever attested, those that ask a Chainlink DON */
  attestors: readonly Hex[];
  /** the others who ever attested */
  otherAttestors: readonly Hex[];
  beside: Beside;
  /** over all events and the block: two nodes of one chain have the same */
  hash: Hex;
};

export type Reading = {
  place: Place;
  fromBlock: number;
  toBlock?: number | undefined;
  watch?: Watch | undefined;
  beside?: Beside | undefined;
};

/** Questions to a node at once. */
const AT_ONCE = 16;

/** Refuses what tokenAt and logsIn refuse, and `nonsense`. */
export async function historyOf(
  chain: ChainReader,
  { place, fromBlock, toBlock, watch, beside = {} }: Reading,
): Promise<Answer<History>> {
  const at = await tokenAt(chain, place);
  if (!at.ok) return at;
  const { chainId, registry, wattWitness, token } = at.value;
  const block = await blockAt(chain, toBlock ?? at.value.block);
  if (!block.ok) return block;
  const to = block.value.number;
  const own = new Map<Hex, Contract>([
    [registry, "registry"],
    [wattWitness, "wattWitness"],
    [token, "token"],
    ...(beside.certificates ? [[beside.certificates, "certificates"] as const] : []),
    ...(beside.factory ? [[beside.factory, "factory"] as const] : []),
  ]);
  const told = await eventsOf(chain, own, fromBlock, to, watch);
  if (!told.ok) return told;
  // the registry has told of it before all else, as its own view says
  if (!told.value.some(({ eventName }) => eventName === "WattWitnessNamed")) {
    const says = `The chain's node has no events of the registry's beginning: not in block ${fromBlock} or later.`;
    return unanswered("contradicts itself", says);
  }
  const attesting = told.value.flatMap((event) => (event.eventName === "Attested" ? [event.args.attestor] : []));
  const [attestors, otherAttestors]: [Hex[], Hex[]] = [[], []];
  for (const attestor of new Set(attesting.map((each) => each.toLowerCase() as Hex))) {
    const isOne = await isOfFunctions(chain, attestor, to);
    if (!isOne.ok) return isOne;
    (isOne.value ? attestors : otherAttestors).push(attestor);
  }
  const parks = told.value.flatMap((event) => (event.eventName === "ParkCreated" ? [event.args.park] : []));
  const others: [Hex, Contract][] = [
    ...attestors.map((each): [Hex, Contract] => [each, "attestor"]),
    ...parks.map((each): [Hex, Contract] => [each.toLowerCase() as Hex, "park"]),
  ];
  const asked = await eventsOf(chain, new Map(others), fromBlock, to);
  if (!asked.ok) return asked;
  const events = [...told.value, ...asked.value].sort((a, b) => a.block - b.block || a.index - b.index);
  const blocks = await blocksOf(chain, events);
  if (!blocks.ok) return blocks;
  if (!isOrdered(events, blocks.value, block.value)) {
    return unanswered("contradicts itself", "The chain's node tells of events that its own blocks do not have.");
  }
  const deployment = { chainId, registry, wattWitness, token };
  const hash = keccak256(stringToBytes([block.value.hash, ...events.map(lineOf)].join("\n")));
  return answered({
    ...{ chain, deployment, block: block.value, events, blocks: blocks.value, attestors, otherAttestors, hash },
    beside,
  });
}

async function eventsOf(
  chain: ChainReader,
  contracts: Contracts,
  from: number,
  to: number,
  watch?: Watch,
): Promise<Answer<ChainEvent[]>> {
  if (contracts.size === 0) return answered([]);
  const logs = await logsIn(chain, { address: [...contracts.keys()], topics: [] }, from, to, watch);
  if (!logs.ok) return logs;
  const events = logs.value.map((log) => eventIn(log, contracts));
  return events.every((event) => event !== undefined && event.block >= from && event.block <= to)
    ? answered(events as ChainEvent[])
    : unanswered("nonsense", "The chain's node answers eth_getLogs with what the contracts never write.");
}

/** Each once, and as its block has it. */
function isOrdered(events: readonly ChainEvent[], blocks: ReadonlyMap<number, Block>, newest: Block): boolean {
  return events.every((event, i) => {
    const [before, block] = [events[i - 1], blocks.get(event.block) as Block];
    const isAfter = !before || before.block < event.block || before.index < event.index;
    const isThere = block.hash === event.blockHash && block.transactions[event.transactionIndex] === event.transaction;
    const isOfThisChain = block.number !== newest.number || block.hash === newest.hash;
    return isAfter && isThere && isOfThisChain && block.timestamp <= newest.timestamp;
  });
}

async function blocksOf(chain: ChainReader, events: readonly ChainEvent[]): Promise<Answer<Map<number, Block>>> {
  const numbers = [...new Set(events.map(({ block }) => block))];
  const blocks = new Map<number, Block>();
  for (let i = 0; i < numbers.length; i += AT_ONCE) {
    for (const block of await Promise.all(numbers.slice(i, i + AT_ONCE).map((number) => blockAt(chain, number)))) {
      if (!block.ok) return block;
      blocks.set(block.value.number, block.value);
    }
  }
  return answered(blocks);
}

export async function blockAt(chain: ChainReader, number: number): Promise<Answer<Block>> {
  const answer = await ask(chain, "eth_getBlockByNumber", [tag(number), false]);
  if (!answer.ok) return answer;
  const { number: own, hash, timestamp: time, transactions } = (answer.value ?? {}) as Record<string, unknown>;
  const timestamp = quantity(time);
  if (quantity(own) !== number || typeof hash !== "string" || timestamp === undefined || !Array.isArray(transactions)) {
    return unanswered("nonsense", `The chain's node does not have block ${number}.`);
  }
  const hashes = transactions.map((each) => String(each).toLowerCase() as Hex);
  return answered({ number, hash: hash.toLowerCase() as Hex, timestamp, transactions: hashes });
}

/** An attestor is anybody with the role: an account, a contract of another DON, or one that asks Chainlink's. */
async function isOfFunctions(chain: ChainReader, attestor: Hex, block: number): Promise<Answer<boolean>> {
  const source = await viewOf({ chain, block }, { address: attestor, abi: functionsAttestorAbi }, "sourceHash");
  if (source.ok) return answered(true);
  return source.why.rule === "unreachable" ? source : answered(false);
}

/** An event as one line, the same from every node. */
export const lineOf = ({ by, block, blockHash, transaction, index, of, eventName, args }: ChainEvent): string =>
  JSON.stringify([block, index, blockHash, transaction, by, of, eventName, args], (_, value) =>
    typeof value === "bigint" ? String(value) : value,
  );
