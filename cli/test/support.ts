/** The command line as a program, beside a chain with everything on it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";

export const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

export type Ended = {
  code: number | null;
  /** the answer */
  out: string;
  /** what was said meanwhile, and problems */
  err: string;
};

/** Runs `wattwitness` with nothing in its environment and its input but what is given, and no terminal to ask on. */
export async function wattwitness(
  args: readonly string[],
  environment: Record<string, string> = {},
  main = MAIN,
  { input = "", cwd }: { input?: string; cwd?: string } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.on("error", () => {}); // it may have ended before
  child.stdin.end(input);
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (data: Buffer) => out.push(data));
  child.stderr.on("data", (data: Buffer) => err.push(data));
  const [code] = (await once(child, "close")) as [number | null];
  const text = (parts: Buffer[]) => stripVTControlCharacters(Buffer.concat(parts).toString()).trim();
  return { code, out: text(out), err: text(err) };
}
