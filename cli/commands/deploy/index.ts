/** `wattwitness deploy`: the contracts on any chain, their roles, and an entry in the table of networks. */
import { Command, Option } from "commander";
import { CAPACITY_CEILING, NOTICE, THIRTY_DAYS } from "../../../contracts/deploy.ts";
import { address, sends, telling, watts } from "../../command.ts";
import { type DeployOptions, donId, functionsOf, networkName, unattestedAfter } from "./options.ts";

const AFTER = `
Examples:
  $ wattwitness deploy --network base-sepolia --rpc-url https://… --router 0x… --don-id fun-…-1 --key-file key
  $ wattwitness deploy --network my-net --rpc-url http://127.0.0.1:8545 --without-functions

Whoever sends pays, and becomes an administrator. Then the setting up ends: whatever role is granted later begins after
${NOTICE / 86_400} days. What was sent is kept in a journal: run again with the same options, a deployment that broke off goes on,
and one that is complete changes nothing. Chainlink lists routers and DON ids under "Supported Networks" of Functions:
https://docs.chain.link/chainlink-functions/supported-networks`;

export function deployCommand(): Command {
  return sends(new Command("deploy"))
    .description("put the contracts on a chain, with their roles; run again it goes on, or changes nothing")
    .requiredOption(
      "--network <name>",
      "what the table calls this chain; The Graph's name, like base-sepolia",
      networkName,
    )
    .addOption(new Option("--rpc-url <url>", "JSON-RPC of a node of the chain").env("WATTWITNESS_RPC_URL"))
    .option("--router <address>", "Chainlink Functions' router there", address)
    .option("--don-id <id>", "its DON: the text, fun-…-1, or its 32 bytes, 0x…", donId)
    .option("--without-functions", "no DON: meters settle on their signatures alone, as --unattested-after allows")
    .option("--without-precompile", "also where the chain verifies no P-256 at 0x100: every signature is dear")
    .option("--administrator <address>", "gets the role, beside who sends: grants and revokes roles", address)
    .option("--registrar <address>", "gets the role: registers meters", address)
    .option("--operator <address>", "gets the role: asks for attestations; the oracle's account", address)
    .option("--guardian <address>", "gets the role: pauses registrations and attestation requests", address)
    .option(
      "--unattested-after <seconds>",
      "after which an unsettled meter settles without attestation, for good; or never, or always (30 days; without a DON: always)",
      unattestedAfter,
    )
    .option(
      "--capacity-ceiling <W>",
      "with which a meter is registered at most, for good; more is proposed, and waits",
      watts,
      CAPACITY_CEILING,
    )
    .option(
      "--predecessor <address>",
      "MeterRegistry of an earlier deployment, whose meters this one takes over",
      address,
    )
    .option(
      "--create2 <text>",
      "by the CREATE2 factory: with the same text, deployer and options, the same addresses on every chain",
    )
    .option("--keep-open", "do not end the setting up: until Authority.close is called no delay holds")
    .option("--networks-file <file>", "the table (networks.json, or the project's)")
    .option("--journal <file>", "what was sent (.wattwitness/deploy-NETWORK)")
    .addHelpText("after", AFTER)
    .configureOutput({ outputError: (text, write) => write(withoutKeys(text)) })
    .action(
      telling(async (options: DeployOptions) => {
        const told = { ...options, unattestedAfter: options.unattestedAfter ?? usually(options) };
        return (await import("./deploying.ts")).deploying(told, functionsOf(options));
      }),
    );
}

/** s after which a meter settles without attestation. */
const usually = ({ withoutFunctions }: DeployOptions): number => (withoutFunctions ? 0 : THIRTY_DAYS);

/** What might be a private key in the wrong place is not repeated. */
const withoutKeys = (text: string): string => text.replace(/(0x)?[0-9a-f]{64}/gi, "…");
