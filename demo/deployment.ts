/** Chainlink's contracts and ours on a local chain, with everybody in the role that the demo needs. */
import { readFile } from "node:fs/promises";
import type { Hex } from "viem";
import {
  CAPACITY_CEILING,
  closeSetup,
  type Deployer,
  type Deployment,
  deployFunctionsAttestor,
  deployWattWitness,
  grant,
  ROLES,
  THIRTY_DAYS,
  type Wallet,
} from "../contracts/deploy.ts";
import {
  addConsumer,
  type Chainlink,
  createSubscription,
  deployChainlink,
  fundSubscription,
} from "../functions-source/local-don/index.ts";
import { LOCAL_NETWORK, NETWORKS_FILE, networkOf, writeNetwork } from "../subgraph/networks.ts";
import type { LocalChain } from "./chain.ts";

const SOURCE_FILE = new URL("../functions-source/verify-batch.js", import.meta.url);

/** Which of the well-known accounts does what. */
export const ACCOUNTS = { admin: 0, chainlink: 1, registrar: 2, operator: 3, conspirator: 4, firstOwner: 5 };

export type Everything = {
  chainlink: Chainlink;
  deployment: Deployment;
  attestor: Hex;
  /** the operator's */
  subscriptionId: bigint;
  /** with a subscription and the operator's role, as the oracle's operator has */
  conspirator: { wallet: Wallet; subscriptionId: bigint };
};

export const deployerOf = (chain: LocalChain, account: number): Deployer => ({
  publicClient: chain.publicClient,
  wallet: chain.wallet(account),
  artifact: chain.artifact,
});

/** `capacity`: W, which a meter can be registered with at once; a deployment's usual ceiling, unless that is lower. */
export async function deployEverything(
  chain: LocalChain,
  say: (stage: string) => void = () => {},
  capacity = CAPACITY_CEILING,
): Promise<Everything> {
  say("deploying Chainlink Functions: router, coordinator, LINK");
  const chainlink = await deployChainlink(deployerOf(chain, ACCOUNTS.chainlink));
  say("deploying WattWitness: registry, witness, token, attestor");
  const admin = deployerOf(chain, ACCOUNTS.admin);
  const deployment = await deployWattWitness(admin, {
    ...{ unattestedAfter: THIRTY_DAYS, capacityCeiling: Math.max(capacity, CAPACITY_CEILING) },
  });
  const source = await readFile(SOURCE_FILE, "utf8");
  const attestor = await deployFunctionsAttestor(admin, deployment, { ...chainlink, source });
  await grant(admin, deployment.authority, ROLES.registrar, chain.wallet(ACCOUNTS.registrar).account.address);
  const subscribe = async (account: number) => {
    const caller = deployerOf(chain, account);
    await grant(admin, deployment.authority, ROLES.operator, caller.wallet.account.address);
    const subscriptionId = await createSubscription(caller, chainlink);
    await addConsumer(caller, chainlink, subscriptionId, attestor);
    await fundSubscription(deployerOf(chain, ACCOUNTS.chainlink), chainlink, subscriptionId);
    return subscriptionId;
  };
  const subscriptionId = await subscribe(ACCOUNTS.operator);
  const wallet = chain.wallet(ACCOUNTS.conspirator);
  const conspirator = { wallet, subscriptionId: await subscribe(ACCOUNTS.conspirator) };
  await closeSetup(admin, deployment.authority);
  return { chainlink, deployment, attestor, subscriptionId, conspirator };
}

/**
 * Keeps the table of the subgraph's networks at what was deployed: nothing changes there as long as accounts and order
 * are the same. Where it cannot be written (a read-only installation), it is not.
 */
export function writeLocalNetwork(
  { deployment, attestor }: Everything,
  complain: (problem: string) => void,
  file: string = NETWORKS_FILE,
): void {
  try {
    writeNetwork(file, LOCAL_NETWORK, networkOf(deployment, attestor));
  } catch (error) {
    complain(`${LOCAL_NETWORK} was not written for the subgraph: ${(error as Error).message.split("\n")[0]}`);
  }
}
