/**
 * Writes a folder of evidence, from which the verifier beside this (audit.py) replays what was minted: what a node says of
 * the contracts, raw, and the readings. It judges nothing.
 */
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Address,
  encodeFunctionData,
  type Hex,
  numberToHex,
  type PublicClient,
  type RpcLog,
  toEventSelector,
  zeroAddress,
  zeroHash,
} from "viem";
import { meterRegistryAbi, productionTokenAbi, wattWitnessAbi } from "../../contracts/abi.ts";
import { logsIn } from "../../verification/chain/ranges.ts";
import type { ChainReader } from "../../verification/index.ts";

export type EvidenceOptions = {
  client: PublicClient;
  /** another node of the chain, whose logs are kept, too */
  second?: PublicClient | undefined;
  registry: Address;
  /** the block in which the registry was deployed, or an earlier one */
  fromBlock: bigint;
  toBlock: bigint;
  /** files, as they were published */
  batches: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
};

const topicOf = (abi: typeof productionTokenAbi | typeof wattWitnessAbi, name: string): Hex =>
  toEventSelector(abi.find((item) => item.type === "event" && item.name === name) as never);
const TRANSFER = topicOf(productionTokenAbi, "Transfer");
const ATTESTED = topicOf(wattWitnessAbi, "Attested");
const [SETTLED, BEGUN, EQUIVOCATED] = ["Settled", "Begun", "Equivocated"].map((name) =>
  topicOf(wattWitnessAbi, name),
) as [Hex, Hex, Hex];

export async function writeEvidence(folder: string, options: EvidenceOptions): Promise<void> {
  const { client, second, registry, fromBlock, toBlock, batches } = options;
  const wattWitness = await client.readContract({
    address: registry,
    abi: meterRegistryAbi,
    functionName: "wattWitness",
  });
  const onWattWitness = { address: wattWitness, abi: wattWitnessAbi } as const;
  const token = await client.readContract({ ...onWattWitness, functionName: "token" });
  const unattestedAfter = await client.readContract({ ...onWattWitness, functionName: "unattestedAfter" });
  async function logsOf(address: Address[], of = client): Promise<RpcLog[]> {
    const answer = await logsIn(of as ChainReader, { address, topics: [] }, Number(fromBlock), Number(toBlock));
    if (!answer.ok) throw new Error(answer.why.says);
    return answer.value as RpcLog[];
  }

  const vouched = (await logsOf([wattWitness])).filter(({ topics }) => topics[0] === ATTESTED);
  const vouchers = [...new Set(vouched.map(({ topics }) => `0x${topics[2]?.slice(26)}` as const))];
  // who is a contract has told what he was asked; of a person there is nothing to read
  const codes = await Promise.all(vouchers.map((address) => client.getCode({ address })));
  const attestors = vouchers.filter((_, i) => codes[i]);
  const logs = await logsOf([registry, wattWitness, token, ...attestors]);

  const views = questionsIn(logs, { token, wattWitness });
  const answers = await Promise.all(
    views.map(({ to, data }) => client.request({ method: "eth_call", params: [{ to, data }, numberToHex(toBlock)] })),
  );
  const isSigned = ({ topics: [topic, , , attestation] }: RpcLog) =>
    topic === BEGUN || topic === EQUIVOCATED || (topic === SETTLED && attestation === zeroHash);
  const hashes = [...new Set(logs.filter(isSigned).map(({ transactionHash }) => transactionHash as Hex))];
  const transactions = await Promise.all(hashes.map((hash) => client.getTransaction({ hash })));
  const { hash } = await client.getBlock({ blockNumber: toBlock });
  const other = second && {
    block_hash: (await second.getBlock({ blockNumber: toBlock })).hash,
    newest: Number(await second.getBlockNumber()),
  };

  await mkdir(join(folder, "batches"), { recursive: true });
  const chain = {
    ...{ chain_id: await client.getChainId(), registry, watt_witness: wattWitness, token, attestors },
    ...{ from_block: Number(fromBlock), block: Number(toBlock), block_hash: hash, unattested_after: unattestedAfter },
    ...(other && { newest: Number(await client.getBlockNumber()), second: other }),
  };
  await writeFile(join(folder, "chain.json"), `${JSON.stringify(chain, undefined, 2)}\n`);
  await writeLines(join(folder, "logs.ndjson"), await timed(client, logs));
  await writeLines(
    join(folder, "views.ndjson"),
    views.map(({ data }, i) => ({ data, answer: answers[i] })),
  );
  if (second) {
    const theirs = await logsOf([registry, wattWitness, token, ...attestors], second);
    await writeLines(join(folder, "second.ndjson"), await timed(second, theirs));
  }
  await writeLines(
    join(folder, "transactions.ndjson"),
    transactions.map(({ hash, input, to }) => ({ hash, input, to })),
  );
  for await (const bytes of batches) {
    await writeFile(join(folder, "batches", `0x${createHash("sha256").update(bytes).digest("hex")}`), bytes);
  }
}

/** The balance of whoever had tokens; of each key its terms, and its newest log. */
function questionsIn(logs: readonly RpcLog[], { token, wattWitness }: { token: Address; wattWitness: Address }) {
  const [holders, keys] = [new Set<Address>(), new Set<Hex>()];
  for (const { address, topics } of logs) {
    const [topic, one, other] = topics as Hex[];
    if (topic === BEGUN) keys.add(one as Hex);
    if (topic !== TRANSFER || address.toLowerCase() !== token.toLowerCase()) continue;
    for (const holder of [one, other]) holders.add(`0x${(holder as Hex).slice(26)}`);
  }
  holders.delete(zeroAddress);
  const about = (functionName: "termsOf" | "latestOf", keyId: Hex) =>
    encodeFunctionData({ abi: wattWitnessAbi, functionName, args: [keyId] });
  return [
    ...[...holders].map((holder) => ({
      ...{
        to: token,
        data: encodeFunctionData({ abi: productionTokenAbi, functionName: "balanceOf", args: [holder] }),
      },
    })),
    ...[...keys].flatMap((keyId) => [
      { to: wattWitness, data: about("termsOf", keyId) },
      { to: wattWitness, data: about("latestOf", keyId) },
    ]),
  ];
}

/** Each log with its block's time. */
async function timed(client: PublicClient, logs: readonly RpcLog[]): Promise<object[]> {
  const times = new Map<Hex, number>();
  for (const { blockNumber } of logs) {
    if (times.has(blockNumber as Hex)) continue;
    const { timestamp } = await client.getBlock({ blockNumber: BigInt(blockNumber as Hex) });
    times.set(blockNumber as Hex, Number(timestamp));
  }
  return logs.map((log) => lineOf(log, times.get(log.blockNumber as Hex)));
}

function lineOf({ address, topics, data, blockNumber, logIndex, transactionHash }: RpcLog, timestamp?: number) {
  return { address, topics, data, blockNumber, logIndex, transactionHash, timestamp };
}

const writeLines = (path: string, lines: readonly object[]): Promise<void> =>
  writeFile(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
