/** `wattwitness audit`, `verify` and `mirror`: whether what the chain says was measured, trusting neither oracle nor DON. */
import { Command, Option } from "commander";
import { aboutChain, id, telling, whole } from "../../command.ts";
import { day, judging, places } from "./options.ts";

const AFTER = `
Ends with 0 where everything is verified, with 1 where something is refuted (which rule, of what, what was expected and what
was found), and with 2 where it cannot be told, and what is missing. Nothing that is missing is ever a pass.

Examples:
  $ wattwitness audit --batches https://roof.example/ --batches ./mirror
  $ wattwitness audit --batches ./mirror --checkpoint audit.json --json
  $ wattwitness verify reading noon.wattwitness-proof.json
  $ wattwitness mirror --from https://roof.example/ --to ./mirror --watch`;

const PLACES =
  "where readings are: a folder, or a URL (an oracle's or a mirror's), below which are batches/… and tlog/…; may be repeated";

/* What they stand on is loaded when it is used: other commands need not. */

export function auditCommand(): Command {
  return audits(new Command("audit"))
    .description("replay everything from the last token back to the devices' keys, and say yes, no, or cannot tell")
    .option("--evidence <folder>", "keep all that it rests on, for the second auditor: auditor/second/audit.py")
    .addHelpText("after", AFTER)
    .action(telling(judging(async (options) => (await import("./auditing.ts")).auditing(options))));
}

/** What an audit can be told. */
const audits = (command: Command): Command =>
  aboutChain(command)
    .option("--second-rpc-url <url>", "another node of the chain, which must tell the same")
    .option("--batches <place>", PLACES, places, [])
    .option("--meter <id>", "only this meter's readings; may be repeated", ids, undefined)
    .option(
      "--from <date>",
      "only the readings of settlements that end from then on: 2026-03-20, or with a time (UTC)",
      day,
    )
    .option("--to <date>", "and before then", day)
    .option("--checkpoint <file>", "go on from what was verified before, and keep it there");

const REPORT_AFTER = `
Ends as the audit does: with 0, 1 or 2. The same audit gives the same bytes. The page of HTML prints on A4, and asks nobody for
anything.

Examples:
  $ wattwitness report --batches ./mirror --format html --out audit.html
  $ wattwitness audit --batches ./mirror --json > audit.json; wattwitness report --audit audit.json > audit.md`;

export function reportCommand(): Command {
  return audits(new Command("report"))
    .description("a page to hand over: what was audited, how, what was found, each figure with its evidence")
    .option("--audit <file>", 'what "audit --json" told, instead of an audit now')
    .addOption(new Option("--format <format>", "of the page").choices(["md", "html"]).default("md"))
    .option("--out <file>", "where to write it, instead of standard output")
    .addHelpText("after", REPORT_AFTER)
    .action(telling(judging(async (options) => (await import("./reporting.ts")).reporting(options))));
}

const EXPORT_AFTER = `
Of every full hour (UTC) whose register is settled at both ends, in one log. What is less than 1 Wh goes into the meter's next
hour. Other hours are listed with the reason, and nothing is interpolated. Tokens are fungible, so that no hour has a beneficiary.
Ends as the audit does: with 0, 1 or 2; where something is refuted, nothing is exported.

A document of --details is JSON with name, technology, energy_source, location, commercial_operation_date, country and
issuing_body, as far as known. It counts where its SHA-256 or Keccak-256 is what the chain has as the meter's details.

Examples:
  $ wattwitness export --batches ./mirror --format csv --out hours.csv
  $ wattwitness export --batches ./mirror --format energytag --details ./documents --country DE`;

export function exportCommand(): Command {
  return aboutChain(new Command("export"))
    .description("hourly certificate fields of what was settled, each beside its evidence")
    .addOption(new Option("--format <format>", "of it").choices(["energytag", "csv", "ndjson"]).default("energytag"))
    .option("--batches <place>", PLACES, places, [])
    .option("--meter <id>", "only this meter; may be repeated", ids, undefined)
    .option("--from <date>", "only hours from then on", day)
    .option("--to <date>", "only hours until then", day)
    .option("--details <folder>", "with the documents that describe installations")
    .option("--country <code>", "country of issuance")
    .option("--issuing-body <name>", "who issues")
    .option("--out <file>", "where to write it, instead of standard output")
    .addHelpText("after", EXPORT_AFTER)
    .action(telling(judging(async (options) => (await import("./exporting.ts")).exporting(options))));
}

const WATCH_AFTER = `
Raises an alarm on two heads of one log that contradict each other, also where two oracles show two people different ones, with the
transaction that proves it; on a head that its device did not sign; on a log that went back; on a settled log that is another than was
seen; on a settled batch that was served and is no more. What does not answer or is not shown is a warning. Each is a line on
standard error, and with --json one of JSON on standard output.

With --once it ends with 1 on an alarm, with 0 where there is none, and with 2 where something could not be looked at.

Examples:
  $ wattwitness watch --oracle https://roof.example/ --oracle https://mirror.example/ --state ./seen
  $ wattwitness watch --oracle https://roof.example/ --state ./seen --once --json`;

export function watchCommand(): Command {
  return aboutChain(new Command("watch"))
    .description("a monitor: follow every meter's newest heads at oracles and mirrors, and tell what cannot be honest")
    .requiredOption("--oracle <place>", "an oracle or a mirror: a URL or a folder; may be repeated", places)
    .requiredOption("--state <folder>", "where it keeps what it saw, with every reading")
    .addOption(new Option("--every <seconds>", "between two looks").argParser(whole).default(60))
    .option("--once", "look once, and end")
    .addHelpText("after", WATCH_AFTER)
    .action(async (_options, command: Command) => (await import("./watching.ts")).watching(command.optsWithGlobals()));
}

const ids = (text: string, before: `0x${string}`[] = []) => [...before, id(text)];

export function verifyCommand(): Command {
  const verify = new Command("verify").description("verify one thing, with every step shown");
  aboutChain(verify.command("reading"))
    .description("a reading, by its proof as an oracle serves it: JSON or .tlog-proof")
    .argument("<file>", "its proof")
    .action(telling(judging(async (file, options) => (await import("./verifying.ts")).reading(file, options))));
  aboutChain(verify.command("tx"))
    .description("every settlement of a transaction, back to the device's signature")
    .argument("<hash>", "of the transaction", id)
    .option("--batches <place>", PLACES, places, [])
    .action(telling(judging(async (hash, options) => (await import("./auditing.ts")).transaction(hash, options))));
  aboutChain(verify.command("retirement"))
    .description("that tokens were used up, by whom and what for")
    .argument("<serial>", "number of the retirement, from 1", whole)
    .action(telling(judging(async (serial, options) => (await import("./verifying.ts")).retirement(serial, options))));
  aboutChain(verify.command("batch"))
    .description("a batch's file: every rule, root and signature; with --rpc-url also what the chain has of it")
    .argument("<file>", "the batch")
    .action(telling(judging(async (file, options) => (await import("./verifying.ts")).batch(file, options))));
  return verify.addHelpText("after", AFTER);
}

export function mirrorCommand(): Command {
  return aboutChain(new Command("mirror"))
    .description("keep batches and tiles, each verified before it is kept, so that others can fetch them here")
    .requiredOption("--from <place>", "from where; may be repeated", places)
    .requiredOption("--to <folder>", "to where: a folder that any static host serves")
    .addOption(new Option("--watch", "go on with what the chain settles later"))
    .addHelpText("after", AFTER)
    .action(telling(judging(async (options) => (await import("./mirroring.ts")).mirroring(options))));
}
