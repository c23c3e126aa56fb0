/** `wattwitness doctor`: looks at all that a node needs, and says of each what is wrong and what to do. */
import { Command } from "commander";
import { oracleUrl, telling, whole } from "../../command.ts";
import { ofNode, ownSettings, type StartOptions, settingsOf } from "../../node-settings.ts";
import { EXIT, Problem } from "../../problem.ts";
import type { Answer } from "../../terminal/telling.ts";
import type { Examined } from "./examining.ts";
import { type Finding, MARKS, wrong } from "./finding.ts";

const AFTER = `
Each line is what was looked at: ✔ is well, ✖ is wrong, with what to do about it, – was not looked at. Nothing is changed.
Ends with 0 where nothing is wrong, with 1 where something is.

Examples:
  $ wattwitness doctor                                             as the environment configures the node
  $ wattwitness doctor --network my-roof --key-file node.key       or as the options of node start do`;

export function doctorCommand(): Command {
  return ofNode(new Command("doctor"))
    .description("look at what a node needs, told as node start is, and say what is wrong")
    .option("--chain-id <number>", "the chain that is meant", whole)
    .option("--subgraph <url>", "where the subgraph answers queries", (url: string) => oracleUrl(url) && url)
    .addHelpText("after", AFTER)
    .action(telling(doctor));
}

async function doctor(options: StartOptions & Examined): Promise<Answer> {
  // what it looks at brings a lot along, which other commands need not load
  const { examine } = await import("./examining.ts");
  const findings = await settingsOf(options).then(
    (settings) => examine(settings, options),
    (error: unknown) => {
      if (!(error instanceof Problem)) throw error;
      // where the environment names everything, that is looked at one by one
      const settings = ownSettings();
      if (settings["WATTWITNESS_WATTWITNESS"] !== undefined) return examine(settings, options);
      return [wrong("contracts", error.message, "nothing else is looked at until they are found")];
    },
  );
  if (findings.some(({ is }) => is === "wrong")) process.exitCode = EXIT.failed;
  return { text: textOf(findings), data: { well: process.exitCode !== EXIT.failed, findings } };
}

function textOf(findings: readonly Finding[]): string {
  const lines = findings.map(({ at, is, says, remedy }): [string, string] => [
    `${MARKS[is]} ${at}`,
    remedy === undefined ? says : `${says} → ${remedy}`,
  ]);
  const width = Math.max(...lines.map(([name]) => name.length)) + 2;
  return lines.map(([name, text]) => `${name.padEnd(width)}${text}`).join("\n");
}
