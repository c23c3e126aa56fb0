/** An oracle's settings, as options say them, and the environment what has no option: for what runs one, or looks at it. */
import type { Command } from "commander";
import { deploymentOf } from "./chain/deployment.ts";
import { KEY, PASSWORD } from "./chain/keys.ts";
import { aboutChain, type GlobalOptions, whole } from "./command.ts";

/** Options of who runs an oracle. */
export const ofNode = (command: Command): Command =>
  aboutChain(command)
    .option("--data <folder>", "where it keeps everything (data)")
    .option("--port <port>", "port to listen on (8000)", whole)
    .option("--host <address>", "address to listen on (127.0.0.1)")
    .option("--key-file <file>", "file with the operator's key, the key or a keystore; without it, it settles nothing")
    .option("--settle-every <seconds>", "seconds between settlements (86400)", whole)
    .option("--public-url <urls>", "where the DON reaches it, up to five, with commas between them")
    .option("--subscription <id>", "Chainlink Functions subscription of the operator");

export type NodeOptions = GlobalOptions & { data?: string };
export type StartOptions = NodeOptions & {
  port?: number;
  host?: string;
  keyFile?: string;
  settleEvery?: number;
  publicUrl?: string;
  subscription?: string;
};

type Environment = Record<string, string | undefined>;

/** What of the environment is the command line's, and no setting of an oracle: that refuses what it does not know. */
const NO_SETTINGS = [KEY, PASSWORD, "WATTWITNESS_NETWORK"];

/** What the environment says. */
export const ownSettings = (): Environment =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !NO_SETTINGS.includes(name)));

/** An oracle's settings: those of the environment, and above them what the options say. */
export async function settingsOf(options: StartOptions): Promise<Environment> {
  const { registry, network, rpcUrl, data } = options;
  const isNamed = registry !== undefined || network !== undefined;
  const deployment = isNamed ? await deploymentOf(options) : undefined;
  return withValues({
    ...ownSettings(),
    ...(rpcUrl !== undefined && { WATTWITNESS_RPC_URL: rpcUrl }),
    ...(deployment && {
      WATTWITNESS_REGISTRY: deployment.registry,
      WATTWITNESS_WATTWITNESS: deployment.wattWitness,
      // an oracle that has no subscription asks no DON
      WATTWITNESS_ATTESTOR:
        options.subscription === undefined ? process.env["WATTWITNESS_ATTESTOR"] : deployment.attestor,
      WATTWITNESS_FROM_BLOCK: process.env["WATTWITNESS_FROM_BLOCK"] ?? String(deployment.fromBlock),
    }),
    ...withValues({
      ...{ WATTWITNESS_DATA_DIR: data, HOST: options.host, WATTWITNESS_OPERATOR_KEY_FILE: options.keyFile },
      ...{ PORT: textOf(options.port), WATTWITNESS_SETTLE_EVERY: textOf(options.settleEvery) },
      ...{ WATTWITNESS_PUBLIC_URLS: options.publicUrl, WATTWITNESS_SUBSCRIPTION_ID: options.subscription },
    }),
  });
}

const textOf = (number: number | undefined): string | undefined => (number === undefined ? undefined : String(number));

const withValues = (environment: Environment): Environment =>
  Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined));
