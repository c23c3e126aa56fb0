/** `wattwitness watch`: a look, or one after the other. What is seen goes to standard error, and with `--json` a line each to standard output. */
import { setTimeout as delay } from "node:timers/promises";
import { type Notice, placeOf, type Watched, watch } from "../../../auditor/index.ts";
import type { GlobalOptions } from "../../command.ts";
import { EXIT, firstLine, Problem } from "../../problem.ts";
import { quoted } from "../../terminal/telling.ts";
import { chainOf } from "./options.ts";

type WatchingOptions = GlobalOptions & { oracle: string[]; state: string; every: number; once?: boolean };

/** s after which a batch that was there is fetched again; `--once` fetches every one. */
const BATCHES_EVERY = 86_400;

export async function watching(options: WatchingOptions): Promise<void> {
  let told = new Set<string>();
  for (;;) {
    const { notices, block, logs, batches } = await look(options);
    // what goes on is said once
    for (const notice of notices) if (!told.has(JSON.stringify(notice))) say(notice, options.json === true);
    told = new Set(notices.map((notice) => JSON.stringify(notice)));
    if (options.once) {
      console.error(`Block ${block ?? "unknown"}: looked at ${logs} logs and ${batches} batches.`);
      process.exitCode = codeOf(notices);
      return;
    }
    await delay(1000 * Math.max(1, options.every));
  }
}

async function look({ oracle, state, once, ...options }: WatchingOptions): Promise<Watched> {
  const now = Math.floor(Date.now() / 1000);
  const places = oracle.map(placeOf);
  try {
    return await watch({ ...chainOf(options), places, state, now, batchesEvery: once ? 0 : BATCHES_EVERY });
  } catch (error) {
    throw new Problem(error instanceof Problem ? error.message : `It failed: ${firstLine(error)}`, EXIT.usage);
  }
}

function codeOf(notices: readonly Notice[]): number {
  if (notices.some(({ is }) => is === "alarm")) return 1;
  return notices.length > 0 ? 2 : 0;
}

function say(notice: Notice, asJson: boolean): void {
  const { is, rule, object, says, place, call } = notice;
  const at = place === undefined ? "" : ` (${quoted(place).slice(1, -1)})`;
  console.error(`${is === "alarm" ? "ALARM" : "warning"}: ${rule}: ${object}: ${says}${at}`);
  if (call) console.error(`  it is proven by: cast send ${call.to} ${call.data}`);
  if (asJson) console.log(JSON.stringify(notice));
}
