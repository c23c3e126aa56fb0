/**
 * What forgeries are tried on: a real chain with the real contracts, the DON in its sandbox, the oracle, meters whose every
 * byte can be bent, and the auditors. Each forgery begins from the same state, and leaves nothing behind.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import {
  BaseError,
  ContractFunctionRevertedError,
  createPublicClient,
  custom,
  type Hex,
  hexToString,
  type PublicClient,
} from "viem";
import { type Audit, type AuditOptions, audit, type Place, verifyBatchFile } from "../../auditor/index.ts";
import { writeEvidence } from "../../auditor/second/evidence.ts";
import { SOURCE, SOURCE_HASH } from "../../auditor/test/world.ts";
import { THIRTY_DAYS } from "../../contracts/deploy.ts";
import type { SettlementItem } from "../../contracts/settlement.ts";
import {
  attestedItems,
  createMeter,
  deployOn,
  mineAt,
  type Part,
  produce,
  SKIP_REASONS,
  START,
} from "../../contracts/test/fixture.ts";
import { withFunctions } from "../../contracts/test/functions.ts";
import { startChain } from "../../demo/chain.ts";
import { createViemChain } from "../../oracle/chain/viem/chain.ts";
import { buildApp } from "../../oracle/http/app.ts";
import { createOracle } from "../../oracle/oracle.ts";
import { openEmbeddedStore } from "../../oracle/store/embedded/store.ts";
import { batchDigest, toHex } from "../../protocol/index.ts";
import type { ChainReader } from "../../verification/chain/reader.ts";
import { batchOf, postOf } from "./forging.ts";
import { createPuppets, type Pretended } from "./puppets.ts";

export type Layer = "device" | "oracle" | "DON" | "contract" | "auditor";

/** What an auditor says. */
export type Audited = Pick<Audit, "verdict" | "findings">;

/** Who said no, and by which rule. `accepted`: nobody did. */
export type Refusal = { by: Layer; rule: string };

export type Forgery = {
  title: string;
  attacker: string;
  wants: string;
  stoppedBy: Layer;
  rule: string;
  /** The contract cannot know better, and mints it. */
  isMinted?: boolean;
  try: (stage: Stage) => Promise<Refusal>;
  /** What the auditor says where everything before it was switched off; absent = nothing reaches it. */
  audit?: {
    rule: string;
    verdict: "refuted" | "cannot tell";
    do: (stage: Stage) => Promise<Audited>;
    /** What the second auditor leaves to the chain, and so does not see. */
    unseenBySecond?: string;
  };
};

export type Stage = Awaited<ReturnType<typeof createStage>>;

/** ms that the DON may take to look at the chain */
const PATIENCE = 10_000;

/** Readings of the roof that are settled, and that the oracle has; it took 600. */
export const SETTLED = 200;

export async function createStage() {
  const chain = await startChain(0, START);
  let looks = 0;
  const request = (method: string, params: unknown[] = []): Promise<unknown> => {
    if (method === "eth_blockNumber") looks += 1;
    return chain.publicClient.request({ method, params } as never);
  };
  const transport = custom({ request: ({ method, params }) => request(method, params) });
  const publicClient: PublicClient = createPublicClient({
    ...{ chain: chain.publicClient.chain, transport, pollingInterval: 50, cacheTime: 0 },
  });
  const wallets = Array.from({ length: 10 }, (_, i) => chain.wallet(i));
  const fixture = await deployOn({ publicClient, wallets, request, at: mineAt(request) }, THIRTY_DAYS);
  const functions = await withFunctions(fixture, SOURCE);
  const { deployment, place } = fixture;
  const registry = deployment.registry.toLowerCase() as Hex;
  const folder = await mkdtemp(join(tmpdir(), "wattwitness-red-team-"));
  const files = new Map<string, Uint8Array>();
  const server = await serve(files);
  const oracle = await startOracle(chain.url, fixture.deployment, join(folder, "oracle"));

  const roof = createMeter(place, 1);
  const barn = createMeter(place, 2, produce({ count: 600, power: 3_000_000n }));
  /** the barn's second key */
  const next = createMeter(place, 3, produce({ count: 200, from: { timestamp: START + 4000 } }));

  const publish = (bytes: Uint8Array): Hex => {
    const digest = toHex(batchDigest(bytes));
    files.set(`batches/${digest}`, bytes);
    return digest;
  };
  /** What the DON's four nodes say of a batch. */
  async function asked(bytes: Uint8Array, root: Hex) {
    const digest = publish(bytes);
    const { report } = await functions.ask(digest, root, [`${server.url}/batches/${digest}`]);
    return report;
  }
  const bribe = (root: Hex) => {
    for (const [node] of functions.don.behaviours().entries()) functions.don.behave(node, "liar", root);
  };
  const restore = () => {
    for (const [node] of functions.don.behaviours().entries()) functions.don.behave(node, "honest");
  };

  /* THE HONEST PAST */

  const honest = async (...parts: Part[]) => {
    const { attestation, items } = attestedItems(parts);
    const report = await asked(batchOf(...parts), attestation);
    if (!report.delivered || report.error !== "0x") throw new Error("the DON did not attest what is true");
    await fixture.settle(attestation, items);
    return { attestation, items };
  };
  await fixture.register(roof);
  await fixture.register(barn);
  await fixture.at(START + 4000);
  await honest({ meter: roof, to: 100 }, { meter: barn, to: 50 });
  await fixture.rotate(barn.id, barn, next);
  await fixture.at(START + 6000);
  const past = await honest({ meter: roof, to: SETTLED, settled: 100 }, { meter: next, to: 60 });
  await oracle.oracle.tick();

  const posted = await oracle.app.inject({
    ...{ method: "POST", url: "/readings", payload: postOf({ meter: roof, to: SETTLED }, 0) },
  });
  if (posted.statusCode !== 200) throw new Error(posted.payload);

  /** Until the DON has looked at the chain anew: once it asked before it was set back, perhaps, and then it asks again. */
  async function seenByDon(): Promise<void> {
    for (const end = Date.now() + PATIENCE, since = looks; looks < since + 2; ) {
      if (Date.now() > end) throw new Error("the DON does not look at the chain");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /* TRYING */

  /** What the oracle says to a post. */
  async function post(payload: object, url = "/readings"): Promise<Refusal> {
    const response = await oracle.app.inject({ method: "POST", url, payload });
    const { rule } = response.json() as { rule?: string };
    return { by: "oracle", rule: rule ?? "accepted" };
  }

  /** What the DON says to a batch, in its sandbox. */
  async function sandbox(bytes: Uint8Array, root: Hex): Promise<Refusal> {
    const { error } = await asked(bytes, root);
    return { by: "DON", rule: error === "0x" ? "accepted" : hexToString(error) };
  }

  /** Makes all nodes of the DON vouch for a root without looking. */
  async function bribed(root: Hex, digest = root): Promise<void> {
    bribe(root);
    await functions.ask(digest, root, ["http://127.0.0.1:1/no-such-batch"]);
    restore();
    if (BigInt(await functions.attestedBy(root)) === 0n) throw new Error("the bribed DON did not attest");
  }

  /** What the contract says to items that the bribed DON vouched for. */
  async function settle(part: Part, change: Partial<SettlementItem> = {}): Promise<Refusal> {
    const { attestation, items } = attestedItems([part]);
    await bribed(attestation);
    return contractSays(() => fixture.settle(attestation, [{ ...(items[0] as SettlementItem), ...change }]));
  }

  /** With which error a call is refused, or with which reason skipped. */
  async function contractSays(call: () => Promise<unknown>): Promise<Refusal> {
    const known = (await fixture.eventsOf("Skipped")).length;
    try {
      await call();
    } catch (thrown) {
      const isRevert = (cause: unknown) => cause instanceof ContractFunctionRevertedError;
      const revert = thrown instanceof BaseError && thrown.walk(isRevert);
      if (!(revert instanceof ContractFunctionRevertedError)) throw thrown;
      return { by: "contract", rule: revert.data?.errorName ?? revert.message };
    }
    const skipped = (await fixture.eventsOf("Skipped"))[known];
    const reason = Object.entries(SKIP_REASONS).find(([, value]) => value === skipped?.["reason"]);
    return { by: "contract", rule: reason ? `Skipped: ${reason[0]}` : "accepted" };
  }

  /** For what the contract cannot stop. */
  async function mints(call: () => Promise<unknown>): Promise<void> {
    const { rule } = await contractSays(call);
    if (rule !== "accepted") throw new Error(`the contract stopped it: ${rule}`);
  }

  /* AUDITING */

  const node: ChainReader = { request: ({ method, params }) => request(method, params as unknown[]) };
  /** Hashes of the transactions that told of it, in their order. */
  async function transactionsOf(eventName: "Settled"): Promise<Hex[]> {
    const events = await publicClient.getContractEvents({ ...fixture.wattWitness, eventName, fromBlock: 0n });
    return [...new Set(events.map(({ transactionHash }) => transactionHash))];
  }

  const evidence: { folder: string; title: string; batch?: string }[] = [];
  let title = "";

  const clientOf = ({ request }: ChainReader) =>
    createPublicClient({ transport: custom({ request: request as never }), cacheTime: 0 });

  /** What the second auditor is to look at later. */
  async function kept(reader: ChainReader, other?: ChainReader): Promise<string> {
    const own = join(folder, `evidence-${evidence.length}`);
    const [client, second] = [clientOf(reader), other && clientOf(other)];
    const toBlock = await client.getBlockNumber();
    await writeEvidence(own, { client, second, registry, fromBlock: 0n, toBlock, batches: [] });
    // under the names that the mirror gives them
    for (const [path, bytes] of files) if (path.startsWith("batches/")) await writeFile(join(own, path), bytes);
    return own;
  }

  /** Both auditors look: the first now, the second at a folder for later. */
  async function audited(change: Partial<AuditOptions> = {}): Promise<Audit> {
    const reader = change.chain ?? node;
    evidence.push({ folder: await kept(reader, change.second), title });
    return audit({
      ...{ chain: reader, registry, places: [mirrorOf(files)], sourceHash: SOURCE_HASH, ...change },
    });
  }

  /** A batch's file by itself, against the chain. */
  async function auditedAlone(bytes: Uint8Array): Promise<Audited> {
    const own = await kept(node);
    const batch = join(own, "shown");
    await writeFile(batch, bytes);
    evidence.push({ folder: own, title, batch });
    return verifyBatchFile(bytes, { place, chain: node });
  }

  return {
    ...{ fixture, functions, place, roof, barn, next, past, files, node, evidence, url: server.url },
    ...{ publish, bribe, bribed, post, sandbox, settle, contractSays, mints, audited, auditedAlone, transactionsOf },
    ...createPuppets(fixture, functions, publish),

    /** Lets a forgery begin where all begin, and takes back what it did. */
    async staged<T>(name: string, act: () => Promise<T>): Promise<T> {
      title = name;
      const [snapshot, before] = [await request("evm_snapshot"), [...files]];
      try {
        return await act();
      } finally {
        restore();
        await request("evm_revert", [snapshot]);
        await seenByDon();
        files.clear();
        for (const [path, bytes] of before) files.set(path, bytes);
      }
    },

    async close(): Promise<void> {
      await functions.don.stop();
      await oracle.app.close();
      await server.close();
      await chain.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What both auditors say after a settlement was pretended. */
export const pretending =
  (part: (stage: Stage) => Part, change: Pretended | ((stage: Stage) => Pretended) = {}) =>
  async (stage: Stage): Promise<Audited> => {
    await stage.pretend(part(stage), typeof change === "function" ? change(stage) : change);
    return stage.audited();
  };

/** Has a bribed DON attest a part, so that the contract mints it; both auditors look. */
export const mintedByBribe = (part: (stage: Stage) => Part) => async (stage: Stage) => {
  const { attestation, items } = attestedItems([part(stage)]);
  await stage.bribed(attestation, stage.publish(batchOf(part(stage))));
  await stage.mints(() => stage.fixture.settle(attestation, items));
  return stage.audited();
};

type OnlyAudited = Pick<Forgery, "title" | "attacker" | "wants" | "isMinted"> & Required<Pick<Forgery, "audit">>;

/** What nobody before the auditor can stop. */
export const foundByAuditor = ({ audit, ...forgery }: OnlyAudited): Forgery => ({
  ...{ ...forgery, audit, stoppedBy: "auditor", rule: audit.rule },
  async try(stage) {
    const { findings } = await audit.do(stage);
    return { by: "auditor", rule: findings.find(({ rule }) => rule === audit.rule)?.rule ?? "accepted" };
  },
});

async function startOracle(
  rpcUrl: string,
  { registry, wattWitness }: { registry: Hex; wattWitness: Hex },
  folder: string,
) {
  const logger = pino({ level: "silent" });
  const chain = await createViemChain({
    ...{ rpcUrl, registry, wattWitness, attestor: undefined, operatorKey: undefined, maxGasPrice: 0n },
  });
  const opening = await openEmbeddedStore(folder, logger);
  if (!opening.ok) throw new Error(opening.problem);
  const config = {
    ...{ fromBlock: 0, settleEvery: 3600, retryAfter: 60, alignment: 0, batchLimit: 2_000_000, confirmations: 1 },
    ...{ attestation: undefined, settles: false },
  };
  const oracle = await createOracle({ config, store: opening.store, chain, logger });
  return { oracle, app: buildApp({ oracle, chain, wattWitness, logger }) };
}

async function serve(files: ReadonlyMap<string, Uint8Array>) {
  const server = createServer((request, response) => {
    const bytes = files.get((request.url as string).slice(1));
    response.writeHead(bytes ? 200 : 404).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Where the auditor finds readings. */
export const mirrorOf = (files: ReadonlyMap<string, Uint8Array>): Place => ({
  name: "a mirror",
  get: async (path) => files.get(path)?.slice(),
  list: async (path) =>
    [...files.keys()].flatMap((name) => (name.startsWith(`${path}/`) ? name.slice(path.length + 1) : [])),
});
