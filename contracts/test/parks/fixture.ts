/** What the tests of parks and certificates stand on: a deployment with both beside it, and a park of three holders. */
import { type Hex, parseEventLogs, zeroAddress } from "viem";
import {
  hourlyCertificatesAbi,
  meterRegistryAbi,
  parkFactoryAbi,
  productionTokenAbi,
  restrictedParkAbi,
  wattWitnessAbi,
} from "../../abi.ts";
import { deploy, deployCertificates, deployParkFactory, type Wallet } from "../../deploy.ts";
import { artifact, deployFixture, type Fixture, type Network, ZERO } from "../fixture.ts";

/** An open park has all of a restricted one's functions but its own, so that one ABI does for both. */
const ERRORS = [
  hourlyCertificatesAbi,
  parkFactoryAbi,
  meterRegistryAbi,
  wattWitnessAbi,
  productionTokenAbi,
  restrictedParkAbi,
]
  .flat()
  .filter((item) => item.type === "error");
const distinct = [...new Map(ERRORS.map((item) => [JSON.stringify(item), item])).values()];

/** How a park of the tests votes: as fast as the factory lets it. */
export const RULES = {
  votingDelay: 3_600,
  votingPeriod: 86_400,
  executionDelay: 86_400,
  quorum: 20,
  proposalThreshold: 1,
};

export type ParkTerms = {
  name?: string;
  symbol?: string;
  document?: Hex;
  holders?: Hex[];
  shares?: bigint[];
  supervisor?: Hex;
  rules?: Partial<typeof RULES>;
};

export type Parks = Awaited<ReturnType<typeof deployParks>>;
export type Park = Awaited<ReturnType<Parks["create"]>>;

export async function deployParks(network?: Network, unattestedAfter?: number) {
  return parksOn(await deployFixture(network, unattestedAfter));
}

export async function parksOn(chain: Fixture) {
  const { publicClient, wallets, admin, send, deployment } = chain;
  const deployer = { publicClient, wallet: admin, artifact };
  const certificates = await deployCertificates(deployer, deployment.wattWitness);
  const factory = await deployParkFactory(deployer, certificates);
  const onCertificates = { address: certificates, abi: [...hourlyCertificatesAbi, ...distinct] as const };
  const onFactory = { address: factory, abi: [...parkFactoryAbi, ...distinct] as const };
  /** The first three to hold shares of a park. */
  const [ada, bea, cem] = wallets.slice(5, 8) as [Wallet, Wallet, Wallet];

  async function create(terms: ParkTerms = {}, by = admin) {
    const { name = "Roofs of the Test", symbol = "ROOF", document = ZERO, supervisor = zeroAddress } = terms;
    const holders = terms.holders ?? [ada, bea, cem].map(({ account }) => account.address);
    const shares = terms.shares ?? [500n, 300n, 200n];
    const rules = { ...RULES, ...terms.rules };
    const args = [{ name, symbol, document, holders, shares }, rules, supervisor];
    const receipt = await send({ ...onFactory, functionName: "create", args }, by);
    const [event] = parseEventLogs({ abi: parkFactoryAbi, eventName: "ParkCreated", logs: receipt.logs });
    if (!event) throw new Error("no park was made");
    // who has every share is the vote in the second after
    await chain.request("evm_mine");
    return { ...parkAt(event.args.park), ...event.args, receipt };
  }

  function parkAt(address: Hex) {
    const park = { address, abi: [...restrictedParkAbi, ...distinct.filter((e) => !inPark(e))] as const };
    const act = (functionName: string, args: readonly unknown[], by: Wallet) =>
      send({ ...park, functionName, args }, by);
    const read = (functionName: string, ...args: readonly unknown[]): Promise<never> =>
      publicClient.readContract({ ...park, functionName, args } as never) as Promise<never>;
    return { address, act, read };
  }

  return { ...chain, certificates: onCertificates, factory: onFactory, ada, bea, cem, create, parkAt };
}

const names = new Set(restrictedParkAbi.flatMap((item) => (item.type === "error" ? [item.name] : [])));
const inPark = (item: { name: string }): boolean => names.has(item.name as never);

/** A token that does what it is told to. */
export async function hostileTokenOn({ publicClient, admin, send }: Fixture) {
  const { abi } = await artifact("HostileToken");
  const address = await deploy({ publicClient, wallet: admin, artifact }, "HostileToken", []);
  const act = (functionName: string, ...args: readonly unknown[]) => send({ address, abi, functionName, args });
  const read = (functionName: string, ...args: readonly unknown[]): Promise<never> =>
    publicClient.readContract({ address, abi, functionName, args }) as Promise<never>;
  return { address, act, read };
}
