/** The command line, whole: every command with its options and help. */
import { Command } from "commander";
import { accountCommand } from "./commands/account.ts";
import {
  auditCommand,
  exportCommand,
  mirrorCommand,
  reportCommand,
  verifyCommand,
  watchCommand,
} from "./commands/audit/index.ts";
import { completionCommand } from "./commands/completion.ts";
import { deployCommand } from "./commands/deploy/index.ts";
import { deviceCommand } from "./commands/device/index.ts";
import { doctorCommand } from "./commands/doctor/index.ts";
import { meterCommand } from "./commands/meter/index.ts";
import { networkCommand } from "./commands/network.ts";
import { nodeCommand } from "./commands/node.ts";
import { simulateCommand } from "./commands/simulate.ts";
import { subscriptionCommand } from "./commands/subscription.ts";
import { tokenCommand } from "./commands/token.ts";
import { version } from "./version.ts";

const EXAMPLES = `
Examples:
  $ export WATTWITNESS_RPC_URL=https://… WATTWITNESS_REGISTRY=0x…
  $ wattwitness meter list                                   all meters, with what they produced
  $ wattwitness meter show 0x4b5c…                           one of them, with its keys and proposals
  $ wattwitness meter register --oracle http://roof:8000     register what has announced itself there
  $ wattwitness doctor                                       what is wrong with a node, and what to do
  $ wattwitness audit --batches https://roof.example/        whether every token was measured, trusting nobody
  $ wattwitness token retire 12.5 --purpose "charged a car"  use 12.5 kWh up

Every transaction is simulated, shown with what it does and costs, and sent once you agree. Keys come from a file, from
Hardhat's keystore or from the environment (WATTWITNESS_KEY), never from an argument.`;

export function createProgram(): Command {
  const program = new Command("wattwitness")
    .description("Solar energy tokens, minted by the meter's own signature.")
    .version(version)
    .option("--json", "answer with one JSON object")
    .addHelpText("after", EXAMPLES)
    .showHelpAfterError("(wattwitness help lists the commands)");
  program.addCommand(meterCommand());
  program.addCommand(tokenCommand());
  program.addCommand(nodeCommand());
  program.addCommand(accountCommand());
  program.addCommand(networkCommand());
  program.addCommand(deployCommand());
  program.addCommand(subscriptionCommand());
  program.addCommand(doctorCommand());
  program.addCommand(deviceCommand());
  program.addCommand(simulateCommand());
  program.addCommand(auditCommand());
  program.addCommand(verifyCommand());
  program.addCommand(mirrorCommand());
  program.addCommand(reportCommand());
  program.addCommand(exportCommand());
  program.addCommand(watchCommand());
  program.addCommand(completionCommand());
  return program;
}
