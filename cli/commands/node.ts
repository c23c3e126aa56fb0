/** `wattwitness node`: runs an oracle, and looks after what it keeps. */
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import type { Told } from "../../oracle/commands/program.ts";
import { aboutChain, type GlobalOptions, oracleUrl, telling } from "../command.ts";
import { type NodeOptions, ofNode, type StartOptions, settingsOf } from "../node-settings.ts";
import { firstLine, Problem } from "../problem.ts";
import { type Answer, list } from "../terminal/telling.ts";

/** The same file, as it stands beside this one: not compiled, or compiled. */
const SERVER = fileURLToPath(new URL(`../../oracle/server${extname(import.meta.filename)}`, import.meta.url));
/** as `npm run oracle`: beyond them an oracle would only collect later what nobody holds */
const HEAP = ["--max-old-space-size=160", "--max-semi-space-size=16"];
/** ms */
const PATIENCE = 15_000;

export function nodeCommand(): Command {
  const node = new Command("node").description("the oracle: run one, and look after what it keeps");
  ofNode(node.command("start"))
    .description("run an oracle until Ctrl-C; what has no option here is set in the environment (oracle/README.md)")
    .action(start);
  node
    .command("status")
    .description("how an oracle is: ready or why not, its chain, its meters")
    .argument("<url>", "where it is", oracleUrl)
    .action(telling(status));
  node
    .command("copy")
    .description("copy what an oracle keeps to another store; run again it goes on")
    .requiredOption("--from <store>", 'a folder, or "database": the one at WATTWITNESS_DATABASE_URL')
    .requiredOption("--to <store>", "the same")
    .action(telling(copy));
  node
    .command("migrate")
    .description("make or update the tables in the database at WATTWITNESS_DATABASE_URL")
    .action(telling(migrate));
  aboutChain(node.command("verify"))
    .description("verify all that an oracle keeps, against itself and the chain; it must not run meanwhile")
    .option("--data <folder>", "where it keeps everything (data)")
    .action(telling(verify));
  aboutChain(node.command("repair"))
    .description("tell what of a folder is damaged, and fetch it again from a mirror")
    .option("--data <folder>", "the folder (data)")
    .option("--from <url>", "another oracle with the same logs, or where this one publishes")
    .action(telling(repair));
  node
    .command("backup")
    .description("copy a stopped oracle's folder; run again it adds what came since")
    .argument("<to>", "a folder for the backup")
    .option("--data <folder>", "where the oracle keeps everything", "data")
    .action(telling(backup));
  node
    .command("restore")
    .description("make an oracle's folder of a backup")
    .argument("<from>", "the backup's folder")
    .option("--data <folder>", "where the oracle is to keep everything", "data")
    .action(telling(restore));
  return node;
}

/** In this process's place, with bounds to its memory: who ends the one, by whatever signal, ends the other. */
async function start(_options: StartOptions, command: Command): Promise<void> {
  const settings = await settingsOf(command.optsWithGlobals());
  process.execve?.(process.execPath, [process.execPath, ...HEAP, SERVER], settings as Record<string, string>);
  throw new Problem("An oracle cannot be started on this system by this command: npm run oracle");
}

type Ready = { ready: boolean; reasons?: string[]; [name: string]: unknown };
type Overview = { chain_id: number; registry: string; block: number; meters: { status: string }[] };

async function status(url: string, _options: GlobalOptions): Promise<Answer> {
  const [ready, overview] = await Promise.all([asked<Ready>(url, "ready"), asked<Overview>(url, "api/v1/overview")]);
  if (typeof ready.ready !== "boolean") throw new Problem(`What is at ${url} is no oracle of WattWitness.`);
  const { chain_id: chainId, registry, block, meters } = overview;
  const active = meters.filter((meter) => meter.status === "active").length;
  return {
    text: list({
      ...{ oracle: url, ready: ready.ready ? "yes" : "no", why: ready.reasons?.join("; ") || undefined },
      ...{ chain: `${chainId}, block ${block}`, registry, meters: `${meters.length}, ${active} of them active` },
    }),
    data: { ...ready, chain_id: chainId, registry, block, meters: meters.length, active },
  };
}

/** Not ready is an answer, too. */
async function asked<T>(url: string, path: string): Promise<T> {
  try {
    const response = await fetch(new URL(path, url), { signal: AbortSignal.timeout(PATIENCE) });
    return (await response.json()) as T;
  } catch (error) {
    throw new Problem(`No oracle answers at ${url}: ${firstLine(error)}`);
  }
}

/** What a command of the oracle's tells; what is wrong all the same ends this one. */
function answerOf({ text, data, problem }: Told): Answer {
  if (problem === undefined) return { text, data };
  throw new Problem(`${text}\n  ${problem}`);
}

// each is loaded when it is used: a database's client is several hundred modules

async function copy(options: { from: string; to: string }): Promise<Answer> {
  const commands = await import("../../oracle/commands/copy.ts");
  return answerOf(await commands.copy(options, process.env));
}

async function migrate(): Promise<Answer> {
  const commands = await import("../../oracle/commands/migrate.ts");
  return answerOf(await commands.migrateDatabase({}, process.env));
}

async function verify(options: NodeOptions): Promise<Answer> {
  const commands = await import("../../oracle/commands/verify.ts");
  return answerOf(await commands.verify({}, await settingsOf(options)));
}

async function repair(options: NodeOptions & { from?: string }): Promise<Answer> {
  const commands = await import("../../oracle/commands/repair.ts");
  return answerOf(await commands.repair(options, await settingsOf(options)));
}

const backup = (to: string, { data }: { data: string }): Promise<Answer> => copy({ from: data, to });

async function restore(from: string, { data }: { data: string }): Promise<Answer> {
  return copy({ from, to: data });
}
