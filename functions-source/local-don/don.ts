/**
 * A Chainlink Functions DON of four nodes on this machine, against the real coordinator. Each node runs the source of a
 * request in a sandbox of its own; what they answer is aggregated, signed by three of them and transmitted by one.
 * What is not here: the nodes are one program and do not talk over a network; there are no secrets, and one report
 * carries one request.
 */
import { setTimeout as delay } from "node:timers/promises";
import {
  createWalletClient,
  custom,
  type Hex,
  parseEther,
  parseEventLogs,
  type TransactionReceipt,
  TransactionReceiptNotFoundError,
} from "viem";
import { type Answer, runInSandbox, type SandboxLimits, type SandboxRequest } from "../sandbox.ts";
import { aggregate, FAULTY, NODES, OBSERVATIONS_NEEDED, type Outcome, SIGNATURES_NEEDED } from "./aggregate.ts";
import { type Caller, type Chainlink, confirmed, routerAbi } from "./chainlink.ts";
import {
  type Commitment,
  coordinatorAbi,
  createNodeKeys,
  encodeReport,
  type NodeKeys,
  reportContext,
  signReport,
} from "./report.ts";
import { decodeRequest } from "./request.ts";
import { createTurns } from "./turns.ts";

/** `liar`: answers what it was told to, without looking. `down`: neither answers nor signs. */
export type Behaviour = "honest" | "liar" | "down";

export type DonRequest = { requestId: Hex; client: Hex } & (SandboxRequest | { error: string });

/** What one request came to; `answers` by node, undefined = down. */
export type DonReport = Outcome & {
  requestId: Hex;
  answers: readonly (Answer | undefined)[];
  /** which nodes signed, and which sent the transaction */
  signers: readonly number[];
  transmitter: number;
  transactionHash: Hex;
  gasUsed: bigint;
  /** the client's callback ran without reverting */
  delivered: boolean;
};

export type DonHooks = {
  onRequest?: (request: DonRequest) => void;
  onAnswer?: (requestId: Hex, node: number, answer: Answer) => void;
  onReport?: (report: DonReport) => void;
  /** Too few nodes answered: nothing is transmitted. */
  onNoQuorum?: (requestId: Hex, answers: readonly (Answer | undefined)[]) => void;
  /** The chain did not answer, or refused the report. */
  onError?: (error: unknown) => void;
};

export type LocalDonOptions = DonHooks & {
  chainlink: Chainlink;
  /** keys of the nodes; generated where none are given */
  nodes?: readonly NodeKeys[];
  /** ms between two looks at the chain */
  pollingInterval?: number;
  /** sandboxes that run at once; each may take 128 MB and more than one core */
  concurrency?: number;
  limits?: Partial<SandboxLimits>;
  /** where sandboxes make their folders, so that whoever removes it removes them; the system's place unless given */
  folder?: string;
};

export type LocalDon = {
  /** What each node does from its next request on. */
  behaviours: () => readonly Behaviour[];
  /** `lie` is what a liar answers; 32 bytes of 0xff where nothing is given. */
  behave: (node: number, behaviour: Behaviour, lie?: Hex) => void;
  /** Ends sandboxes, timers and polling, and resolves when nothing of them is left. */
  stop: () => Promise<void>;
};

const NO_ROOT: Hex = `0x${"ff".repeat(32)}`;

/** Puts four nodes in charge of the coordinator, which `wallet` must own, gives them gas money and sets them to work. */
export async function startLocalDon(
  { publicClient, wallet }: Caller,
  {
    chainlink,
    nodes = Array.from({ length: NODES }, createNodeKeys),
    pollingInterval = 100,
    concurrency = NODES,
    limits = {},
    folder,
    ...hooks
  }: LocalDonOptions,
): Promise<LocalDon> {
  const onCoordinator = { address: chainlink.coordinator, abi: coordinatorAbi } as const;
  await confirmed(
    { publicClient },
    wallet.writeContract({
      ...onCoordinator,
      chain: wallet.chain,
      functionName: "setConfig",
      args: [
        nodes.map(({ signer }) => signer.address),
        nodes.map(({ transmitter }) => transmitter.address),
        FAULTY,
        "0x",
        1n,
        "0x",
      ],
    }),
  );
  for (const { transmitter } of nodes) {
    const payment = { chain: wallet.chain, to: transmitter.address, value: parseEther("10") };
    await confirmed({ publicClient }, wallet.sendTransaction(payment));
  }
  const [, , configDigest] = await publicClient.readContract({ ...onCoordinator, functionName: "latestConfigDetails" });

  const abort = new AbortController();
  const { signal } = abort;
  const behaviours = nodes.map((): { behaviour: Behaviour; lie: Hex } => ({ behaviour: "honest", lie: NO_ROOT }));
  const inSlot = createSlots(concurrency);
  // a transmitter's nonces must not race
  const inTurn = createTurns();
  let epoch = 0;

  async function answerOf(node: number, request: SandboxRequest | { error: string }): Promise<Answer | undefined> {
    const { behaviour, lie } = behaviours[node] as (typeof behaviours)[number];
    if (behaviour === "down") return undefined;
    if (behaviour === "liar") return { response: lie };
    if ("error" in request) return request;
    return inSlot(() => runInSandbox(request, { limits, folder, signal }));
  }

  async function serve(requestId: Hex, client: Hex, data: Hex, commitment: Commitment): Promise<void> {
    const request = decodeRequest(data);
    hooks.onRequest?.({ requestId, client, ...request });
    const running = nodes.map(async (_, node) => {
      const answer = await answerOf(node, request);
      if (answer) hooks.onAnswer?.(requestId, node, answer);
      return answer;
    });
    // all of them, so that none is left when one fails
    await Promise.allSettled(running);
    const answers = await Promise.all(running);
    const live = [...nodes.keys()].filter((node) => answers[node] !== undefined);
    const outcome = aggregate(answers.filter((answer) => answer !== undefined));
    if (!outcome || live.length < OBSERVATIONS_NEEDED || live.length < SIGNATURES_NEEDED) {
      hooks.onNoQuorum?.(requestId, answers);
      return;
    }

    await inTurn(async () => {
      signal.throwIfAborted();
      const context = reportContext(configDigest, ++epoch);
      const signers = live.slice(0, SIGNATURES_NEEDED);
      const transmitter = live[epoch % live.length] as number;
      const receipt = await transmit(
        transmitter,
        await signReport(
          context,
          encodeReport(commitment, outcome),
          signers.map((node) => (nodes[node] as NodeKeys).signer),
        ),
        commitment.callbackGasLimit,
      );
      const { transactionHash, gasUsed, logs } = receipt;
      const [processed] = parseEventLogs({ abi: routerAbi, eventName: "RequestProcessed", logs });
      const delivered = processed?.args.resultCode === 0;
      hooks.onReport?.({ ...outcome, requestId, answers, signers, transmitter, transactionHash, gasUsed, delivered });
    });
  }

  async function transmit(
    node: number,
    args: Awaited<ReturnType<typeof signReport>>,
    callbackGasLimit: number,
  ): Promise<TransactionReceipt> {
    const { transmitter } = nodes[node] as NodeKeys;
    const sender = createWalletClient({ account: transmitter, chain: wallet.chain, transport: custom(publicClient) });
    const hash = await sender.writeContract({
      ...onCoordinator,
      chain: wallet.chain,
      functionName: "transmit",
      args,
      // an estimate would not see that a callback short of gas fails without failing the transaction
      gas: 1_000_000n + BigInt(callbackGasLimit),
    });
    for (;;) {
      const receipt = await publicClient.getTransactionReceipt({ hash }).catch((error: unknown) => {
        if (error instanceof TransactionReceiptNotFoundError) return undefined;
        throw error;
      });
      if (receipt?.status === "reverted") throw new Error(`the report was refused: transaction ${hash}`);
      if (receipt) return receipt;
      await delay(pollingInterval, undefined, { signal });
    }
  }

  const report = (error: unknown) => {
    if (!signal.aborted) hooks.onError?.(error);
  };

  const serving = new Set<Promise<void>>();
  let nextBlock = (await publicClient.getBlockNumber({ cacheTime: 0 })) + 1n;

  async function look(): Promise<void> {
    const latest = await publicClient.getBlockNumber({ cacheTime: 0 });
    // a chain may be set back to a snapshot
    if (latest < nextBlock) nextBlock = latest + 1n;
    if (latest < nextBlock) return;
    const range = { fromBlock: nextBlock, toBlock: latest };
    const wanted = { eventName: "OracleRequest", strict: true } as const;
    const logs = await publicClient.getContractEvents({ ...onCoordinator, ...range, ...wanted });
    nextBlock = latest + 1n;
    for (const { args } of logs) {
      const { requestId, requestingContract, data, commitment } = args;
      const served = serve(requestId, requestingContract, data, commitment)
        .catch(report)
        .finally(() => serving.delete(served));
      serving.add(served);
    }
  }

  const watching = (async () => {
    while (!signal.aborted) {
      await look().catch(report);
      await delay(pollingInterval, undefined, { signal }).catch(() => undefined);
    }
  })();

  return {
    behaviours: () => behaviours.map(({ behaviour }) => behaviour),
    behave(node, behaviour, lie = NO_ROOT) {
      if (!behaviours[node]) throw new RangeError(`there is no node ${node}`);
      behaviours[node] = { behaviour, lie };
    },
    async stop() {
      abort.abort();
      await watching;
      await Promise.all(serving);
    },
  };
}

/** At most `count` tasks at once. */
function createSlots(count: number) {
  let free = count;
  const waiting: (() => void)[] = [];
  return async <T>(task: () => Promise<T>): Promise<T> => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}
