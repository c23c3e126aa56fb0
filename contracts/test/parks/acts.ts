/** What the tests of parks do again and again. */
import {
  type Abi,
  type AbiEvent,
  createWalletClient,
  custom,
  encodeFunctionData,
  type Hex,
  keccak256,
  parseEventLogs,
  type TransactionReceipt,
  toHex as textToHex,
} from "viem";
import { parkGovernorAbi, restrictedParkAbi } from "../../abi.ts";
import { deploy, type Wallet } from "../../deploy.ts";
import { artifact, type Chain } from "../fixture.ts";
import { deployParks, hostileTokenOn, type Park, type Parks, RULES } from "./fixture.ts";

export const DAY = 24 * 3600;
export const SCALE = 2n ** 32n;

export type Hostile = Awaited<ReturnType<typeof hostileTokenOn>>;
export type World = Awaited<ReturnType<typeof settle>>;

/**
 * A deployment for a whole `describe`: before each test the chain is again as `prepare` left it. Ask for it in a test, not
 * before.
 */
export function world<T>(prepare: (parks: World) => Promise<T>): () => World & T {
  let made: World & T;
  let snapshot: unknown;
  before(async () => {
    const parks = await settle(await deployParks());
    made = { ...parks, ...(await prepare(parks)) };
  });
  beforeEach(async () => {
    snapshot = await made.request("evm_snapshot");
  });
  afterEach(async () => {
    await made.request("evm_revert", [snapshot]);
  });
  return () => made;
}

/** The deployment, and what one does with it. */
async function settle(parks: Parks) {
  const { admin, ada, bea, cem, publicClient, request, send, token } = parks;
  const wattWitness = await impersonate(parks, parks.wattWitness.address);

  const later = async (seconds: number) => {
    await request("evm_increaseTime", [seconds]);
    await request("evm_mine");
  };
  /** Production, as if a meter had made it. */
  const produce = (to: Hex, amount: bigint) =>
    send({ ...token, functionName: "mint", args: [to, amount] }, wattWitness as never);
  /** A park whose first and only holder is Ada, and so the vote. */
  const sole = (shares = 1000n) => parks.create({ holders: [ada.account.address], shares: [shares] });
  /** A park of Ada, Bea and Cem, 500, 300 and 200 shares, which divides these kinds beside the production. */
  const shared = async (...kinds: { address: Hex }[]): Promise<Park> => {
    const park = await sole();
    for (const kind of kinds) await park.act("addKind", [kind.address], ada);
    await park.act("transfer", [bea.account.address, 300n], ada);
    await park.act("transfer", [cem.account.address, 200n], ada);
    return park;
  };
  /** What a holder can claim, of each kind. */
  const claimable = async (park: Park, { account }: Wallet): Promise<bigint[]> => {
    const claimables: { amount: bigint }[] = await park.read("claimableOf", account.address);
    return claimables.map(({ amount }) => amount);
  };
  const claim = (park: Park, by: Wallet, kinds: Hex[], to = by.account.address) => park.act("claim", [kinds, to], by);
  const accountOf = async (park: Park, kind: Hex) => {
    const [received, claimed, carried] = (await park.read("accountOf", kind)) as [bigint, bigint, bigint];
    return { received, claimed, carried };
  };
  const newToken = (): Promise<Hostile> => hostileTokenOn(parks);
  const deployed = (name: string, args: unknown[] = []) =>
    deploy({ publicClient, wallet: admin, artifact }, name, args);

  return {
    ...parks,
    ...{ later, produce, sole, shared, claimable, claim, accountOf, newToken, deployed },
    /** The park's timelock, as an account. */
    voteOf: (park: Park) => impersonate(parks, park.timelock),
  };
}

/** An account without its key. */
export async function impersonate({ request, wallets }: Chain, address: Hex): Promise<Wallet> {
  await request("hardhat_impersonateAccount", [address]);
  await request("hardhat_setBalance", [address, "0xde0b6b3a7640000"]);
  const transport = custom({ request: ({ method, params }) => request(method, params) }, { retryCount: 0 });
  return createWalletClient({ account: address, chain: wallets[0]?.chain, transport }) as unknown as Wallet;
}

const EVENTS = restrictedParkAbi.filter((item) => item.type === "event") as AbiEvent[];

/** The park's events of a transaction, in order. */
export const told = ({ logs }: TransactionReceipt, park: Park) =>
  parseEventLogs({ abi: EVENTS, logs: logs.filter(({ address }) => address === park.address.toLowerCase()) }).map(
    ({ eventName, args }) => ({ eventName, args }) as unknown as { eventName: string; args: Record<string, unknown> },
  );

export const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);

const GOVERNOR_ERRORS = new Set<string>(parkGovernorAbi.flatMap((item) => (item.type === "error" ? [item.name] : [])));
const PARK_ERRORS = restrictedParkAbi.filter((item) => item.type === "error" && !GOVERNOR_ERRORS.has(item.name));

type Call = readonly [functionName: string, args: readonly unknown[]];

/** A proposal to do something with the park, step by step: propose, open the vote, vote, close it, queue, wait, execute. */
export function proposal({ send, publicClient, later }: World, park: Park, calls: readonly Call[], to = park.address) {
  const governor = { address: park.governor, abi: [...parkGovernorAbi, ...PARK_ERRORS] as const };
  const data = calls.map(([functionName, args]) =>
    encodeFunctionData({ abi: restrictedParkAbi as Abi, functionName, args }),
  );
  const what = [calls.map(() => to), calls.map(() => 0n), data] as const;
  const description = "for the good of all";
  const hash = keccak256(textToHex(description));
  const ask = (functionName: string, ...args: readonly unknown[]): Promise<never> =>
    publicClient.readContract({ ...governor, functionName, args } as never) as Promise<never>;
  const act = (functionName: string, args: readonly unknown[], by: Wallet) =>
    send({ ...governor, functionName, args }, by);
  const id = (): Promise<bigint> => ask("hashProposal", ...what, hash);
  const steps = {
    governor,
    ...{ ask, id, act },
    propose: (by: Wallet) => act("propose", [...what, description], by),
    cancel: (by: Wallet) => act("cancel", [...what, hash], by),
    open: () => later(RULES.votingDelay + 1),
    vote: async (by: Wallet, support = 1) => act("castVote", [await id(), support], by),
    close: () => later(RULES.votingPeriod + 1),
    queue: (by: Wallet) => act("queue", [...what, hash], by),
    wait: () => later(RULES.executionDelay + 1),
    execute: (by: Wallet) => act("execute", [...what, hash], by),
    /** From the proposal to what it decides. */
    async pass(...voters: [Wallet, ...Wallet[]]) {
      await steps.propose(voters[0]);
      await steps.open();
      for (const voter of voters) await steps.vote(voter);
      await steps.close();
      await steps.queue(voters[0]);
      await steps.wait();
      return steps.execute(voters[0]);
    },
  };
  return steps;
}
