/**
 * `wattwitness meter register --file fleet.csv`: many meters, one after the other. What the chain knows already is not sent
 * again, so a run that was interrupted goes on when it is repeated.
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parse } from "csv-parse/sync";
import { type Hex, hexToBytes, zeroHash } from "viem";
import { keyIdOf, toHex } from "../../../protocol/index.ts";
import { type Application, applicationInFile, applicationsAt, type Waiting } from "../../applications.ts";
import { type Deployment, deploymentOf } from "../../chain/deployment.ts";
import { onRegistry } from "../../chain/meters.ts";
import { senderOf } from "../../chain/sending.ts";
import { firstLine, Problem } from "../../problem.ts";
import { confirm } from "../../terminal/asking.ts";
import { type Answer, table } from "../../terminal/telling.ts";
import { type RegisterOptions, register } from "./register.ts";

/** `line` of the file, from 1; one of the two says which application. */
type Row = { line: number; application: string | undefined; key: string | undefined };
type Outcome = { line: number; key?: Hex; result: "registered" | "known" | "waiting" | "failed"; why?: string };

export async function registerFleet(file: string, options: RegisterOptions): Promise<Answer> {
  const rows = rowsIn(file);
  const deployment = await deploymentOf(options);
  const waiting = options.oracle === undefined ? undefined : await applicationsAt(options.oracle);
  const outcomes: Outcome[] = [];
  const due: { line: number; key: Hex; application: Application }[] = [];
  for (const row of rows) {
    try {
      const application = await applicationFor(row, file, waiting);
      const key = toHex(keyIdOf(hexToBytes(application.publicKey)));
      if (await isRegistered(deployment, key)) outcomes.push({ line: row.line, key, result: "known" });
      else due.push({ line: row.line, key, application });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      outcomes.push({ line: row.line, result: "failed", why: error.message });
    }
  }
  if (due.length > 0) {
    const sender = await senderOf(deployment, { ...options, yes: true });
    if (!options.dryRun) await confirm(`Register ${due.length} of ${rows.length} meters?`, options.yes === true);
    for (const [i, { line, key, application }] of due.entries()) {
      console.error(`\nline ${line}, ${i + 1} of ${due.length}`);
      outcomes.push({ line, key, ...(await attempt(() => register(deployment, sender, application))) });
    }
  }
  return answerOf(outcomes.sort((a, b) => a.line - b.line));
}

/** One that fails keeps none of the others from being registered. */
async function attempt(act: () => Promise<unknown>): Promise<Pick<Outcome, "result" | "why">> {
  try {
    return { result: (await act()) ? "registered" : "waiting" };
  } catch (error) {
    const why = error instanceof Problem ? error.message : firstLine(error);
    console.error(why);
    return { result: "failed", why };
  }
}

function answerOf(outcomes: Outcome[]): Answer {
  const count = (result: Outcome["result"]) => outcomes.filter((each) => each.result === result).length;
  const failed = outcomes.filter(({ result }) => result === "failed");
  const sums = `${count("registered")} registered, ${count("known")} were known already, ${failed.length} failed`;
  const rows = outcomes.map(({ line, key, result, why }) => [line, key ?? "", result, why ?? ""]);
  const text = `${table(["line", "meter", "result", "why"], rows)}\n${sums}`;
  if (failed.length > 0) throw new Problem(`${text}\nMend these lines, and run the same again for them.`);
  return { text, data: { meters: outcomes } };
}

const isRegistered = async (deployment: Deployment, key: Hex): Promise<boolean> =>
  (await deployment.client.readContract({ ...onRegistry(deployment), functionName: "meterOfKey", args: [key] })) !==
  zeroHash;

async function applicationFor(row: Row, file: string, waiting: Waiting[] | undefined): Promise<Application> {
  if (row.application !== undefined) return applicationInFile(resolve(dirname(file), row.application));
  if (!waiting) throw new Problem("It names a key: --oracle URL has to say where that has applied.");
  const found = waiting.find(({ keyId }) => keyId === row.key?.toLowerCase());
  if (!found) throw new Problem("No such key has applied at the oracle.");
  return found.application;
}

/** Columns `application`, a file beside this one, or `key`, a key id; others are for whoever keeps the list. */
function rowsIn(file: string): Row[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new Problem(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
  let found: { record: Record<string, string>; info: { lines: number } }[];
  try {
    found = parse(text, { columns: true, bom: true, trim: true, skip_empty_lines: true, info: true });
  } catch (error) {
    throw new Problem(`${file} is no CSV: ${firstLine(error)}`);
  }
  const rows = found.map(({ record, info }) => ({
    ...{ line: info.lines, application: record["application"] || undefined, key: record["key"] || undefined },
  }));
  const wrong = rows.find(({ application, key }) => (application === undefined) === (key === undefined));
  if (rows.length === 0)
    throw new Problem(`${file} has no meters: a line of names, application or key, and a line each.`);
  if (wrong) throw new Problem(`${file}, line ${wrong.line}: it must have either an application or a key.`);
  return rows;
}
