/** Chainlink Functions beside the contracts of a fixture: router, coordinator, LINK and a DON of four nodes, all real. */
import type { Hex } from "viem";
import {
  addConsumer,
  createSubscription,
  type DonReport,
  deployChainlink,
  fundSubscription,
  startLocalDon,
} from "../../functions-source/local-don/index.ts";
import { functionsAttestorAbi } from "../abi.ts";
import { deployFunctionsAttestor, grant, ROLES, type Wallet } from "../deploy.ts";
import type { Fixture } from "./fixture.ts";

/** ms that the DON may take to answer */
const PATIENCE = 30_000;

/** `fixture.stranger` becomes an operator with a subscription; the DON runs `source`. */
export async function withFunctions(fixture: Fixture, source: string) {
  const { deployer, deployment, publicClient, send } = fixture;
  const [chainlinkOwner, otherOperator] = fixture.wallets.slice(7) as [Wallet, Wallet];
  const operator = fixture.stranger;
  const owning = { ...deployer, wallet: chainlinkOwner };
  const operating = { ...deployer, wallet: operator };
  const chainlink = await deployChainlink(owning);
  const attestor = await deployFunctionsAttestor(deployer, deployment, { ...chainlink, source });
  for (const { account } of [operator, otherOperator]) {
    await grant(deployer, deployment.authority, ROLES.operator, account.address);
  }
  const subscriptionId = await createSubscription(operating, chainlink);
  await addConsumer(operating, chainlink, subscriptionId, attestor);
  await fundSubscription(owning, chainlink, subscriptionId);
  const reports: DonReport[] = [];
  const errors: unknown[] = [];
  const don = await startLocalDon(owning, {
    chainlink,
    pollingInterval: 20,
    onReport: (report) => reports.push(report),
    onError: (error) => errors.push(error),
  });

  const contract = { address: attestor, abi: [...functionsAttestorAbi, ...fixture.wattWitness.abi] as const };
  const request = (digest: Hex, root: Hex, urls: readonly string[], by: Wallet = operator) =>
    send({ ...contract, functionName: "request", args: [digest, root, urls, subscriptionId] }, by);
  /** The DON's next report, after those already known. */
  const reported = async (): Promise<DonReport> => {
    const known = reports.length;
    for (const end = Date.now() + PATIENCE; Date.now() < end; ) {
      if (errors.length > 0) throw errors[0];
      if (reports.length > known) return reports[known] as DonReport;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error("the DON did not answer");
  };
  /** Requests and waits for what the DON says. */
  const ask = async (digest: Hex, root: Hex, urls: readonly string[]) => {
    const report = reported();
    const receipt = await request(digest, root, urls);
    return { receipt, report: await report };
  };
  const attestedBy = async (root: Hex): Promise<Hex> => {
    const call = { ...fixture.wattWitness, functionName: "attestationOf", args: [root] } as const;
    return (await publicClient.readContract(call))[0];
  };
  return {
    chainlink,
    attestor,
    contract,
    subscriptionId,
    operator,
    otherOperator,
    don,
    request,
    reported,
    ask,
    attestedBy,
  };
}

export type Functions = Awaited<ReturnType<typeof withFunctions>>;
