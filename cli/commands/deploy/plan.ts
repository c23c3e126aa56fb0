/** What a deployment is going to be, before anything is sent. */
import { formatEther, type Hex, hexToString } from "viem";
import { NEVER, NOTICE } from "../../../contracts/deploy.ts";
import { isSunset, publicChains } from "../../chain/chains.ts";
import { measuredGas, type Precompile } from "../../chain/precompile.ts";
import { list } from "../../terminal/telling.ts";
import type { DeployOptions, Functions } from "./options.ts";

/** days */
export const NOTICE_DAYS = NOTICE / 86_400;

export type Planned = {
  options: DeployOptions;
  functions: Functions;
  chainId: number;
  deployer: Hex;
  /** wei */
  balance: bigint;
  precompile: Precompile;
  table: string;
  journal: string;
  /** wei */
  gasPrice: bigint;
  /** transactions that the journal has */
  sent: number;
  /** where the Authority will be, if that is known */
  authority: Hex | undefined;
};

export async function planOf(planned: Planned): Promise<string> {
  const { options, functions, chainId, deployer, balance, gasPrice, precompile, table, journal, sent, authority } =
    planned;
  const { network, unattestedAfter, capacityCeiling, predecessor, keepOpen } = options;
  const { administrator, registrar, operator, guardian } = options;
  const never = unattestedAfter === NEVER;
  const old = unattestedAfter === 0 ? "always" : `once its last settled reading is ${unattestedAfter} s old`;
  const begun = `${sent} transactions were sent before, and are not sent again`;
  const lines = {
    deployer: `${deployer}, has ${formatEther(balance)} of the chain's coin`,
    contracts: `Authority, MeterDescriptor, MeterRegistry, WattWitness with its ProductionToken, Lens${functions ? ", FunctionsAttestor" : ""}`,
    addresses: authority && `the same on every chain, by CREATE2: the Authority's is ${authority}`,
    costs: await priceOf(functions, gasPrice),
    DON: functions
      ? `${nameOf(functions.donId)}, by the router ${functions.router}${await endOf(network)}`
      : `none: ${never ? "nothing settles before there is an attestor" : "meters settle on their devices' signatures alone"}`,
    signatures: await costOf(precompile),
    unattested: `a meter settles on its signature alone: ${never ? "never" : old}; that is for good`,
    ceiling: `a meter is registered with ${capacityCeiling} W at most; that is for good`,
    predecessor: predecessor ?? "none",
    administrator: administrator ? `${administrator}, and the deployer` : "the deployer",
    registrar: registrar ?? "nobody yet",
    operator: operator ?? "nobody yet",
    guardian: guardian ?? "nobody yet",
    "setting up": keepOpen ? "stays open" : `ends: whatever role is granted later begins after ${NOTICE_DAYS} days`,
    table: `${table} gets an entry ${network}`,
    journal: sent > 0 ? `${journal}: ${begun}` : `${journal}: a deployment that breaks off goes on from it`,
  };
  return [
    `WattWitness on ${network}, chain ${chainId}:`,
    list(lines).replaceAll(/^/gm, "  "),
    ...(keepOpen || administrator || registrar
      ? []
      : [
          `No administrator but the deployer is named, and no registrar: he grants either later, ${NOTICE_DAYS} days ahead.`,
        ]),
  ].join("\n");
}

async function endOf(network: string): Promise<string> {
  const chain = (await publicChains())[network];
  const isOver = chain?.functions && isSunset(chain, new Date());
  return isOver ? `; Chainlink announced the end of Functions there for ${chain.functions?.until}` : "";
}

/** What deploying costs, as it was measured. */
async function priceOf(functions: Functions, gasPrice: bigint): Promise<string> {
  const { deploying } = await measuredGas();
  const gas = functions ? deploying.withDon : deploying.withoutDon;
  const most = formatEther(BigInt(gas) * gasPrice);
  return `some ${gas.toLocaleString("en")} gas: ${most} of the coin, where gas costs what it does now`;
}

/** What settling costs on a chain, as it was measured. */
async function costOf(precompile: Precompile): Promise<string> {
  const { settling } = await measuredGas();
  const [cheap, dear] = [settling.with, settling.without].map((amount) => amount.toLocaleString("en"));
  return precompile === "working"
    ? `verified by the chain at 0x100: settling a day of a meter takes some ${cheap} gas`
    : `not verified by this chain at 0x100, so in Solidity: settling a day of a meter takes some ${dear} gas, not ${cheap}`;
}

/** The text that a DON id is, or its bytes where they are none. */
export function nameOf(donId: Hex): string {
  const text = hexToString(donId, { size: 32 });
  return /^[\x21-\x7e]+$/.test(text) ? text : donId;
}
