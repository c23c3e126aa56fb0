/** Compiles the contracts where they changed, in a process that can be ended at any time: what is ready is kept. */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Progress } from "./compiler.ts";
import { endOf, watch } from "./process.ts";
import type { Stops } from "./stop.ts";

const COMPILER = fileURLToPath(new URL("compiler.ts", import.meta.url));

/** `folder`: for its log and what it needs meanwhile. */
export async function compile(folder: string, stops: Stops, say: (stage: string) => void): Promise<void> {
  const log = join(folder, "compiler.log");
  const output = openSync(log, "a");
  const child = spawn(process.execPath, [COMPILER], {
    detached: true,
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", output, output, "ipc"],
  });
  closeSync(output);
  const program = watch(child, log, true);
  stops.add(() => program.stop("SIGTERM"));
  let isFirst = true;
  child.on("message", ({ ready, of }: Progress) => {
    if (!isFirst) say(`compiled ${ready} of ${of}`);
    else if (ready < of) say(`compiling the contracts, this once, up to a minute: ${ready} of ${of} are ready`);
    isFirst = false;
  });
  await program.ended;
  if (child.exitCode !== 0) throw new Error(`the contracts could not be compiled; see ${log}${await endOf(log)}`);
}
