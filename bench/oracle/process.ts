/** The oracle that is measured, as its parent sees it: started, looked at, ended. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { NodeOptions, NodeReport } from "./node.ts";

/** as `npm run oracle` runs it */
const HEAP = ["--max-old-space-size=160", "--max-semi-space-size=16"];

export type Node = { child: ChildProcess; report: NodeReport };

export async function startNode(options: NodeOptions): Promise<Node> {
  const child = fork(new URL("node.ts", import.meta.url), [JSON.stringify(options)], { execArgv: HEAP });
  const [report] = (await Promise.race([
    once(child, "message"),
    once(child, "exit").then(() => Promise.reject(new Error("the oracle ended"))),
  ])) as [NodeReport];
  return { child, report };
}

/** MB that it ever held, and s of processor. */
export function usageOf({ child }: Node): { peak: number; cpu: number } {
  const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) / 1024;
  const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return { peak, cpu: (Number(fields[11]) + Number(fields[12])) / 100 };
}

export async function end({ child }: Node): Promise<void> {
  child.send("close");
  await once(child, "exit");
}

export async function bytesIn(directory: string): Promise<number> {
  const files = await readdir(directory, { recursive: true, withFileTypes: true });
  const sizes = files.filter((file) => file.isFile()).map((file) => stat(join(file.parentPath, file.name)));
  return (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0);
}
