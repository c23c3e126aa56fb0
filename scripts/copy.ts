/** A copy of the project in a temporary folder, in which a contract can be changed to see what that does. */
import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const HARDHAT = join(ROOT, "node_modules", "hardhat", "dist", "src", "cli.js");
const COPIED = [
  ...["contracts", "protocol", "functions-source", "bench"],
  ...["hardhat.config.ts", "package.json", "tsconfig.json"],
  ...["artifacts", "cache"],
];

/** A change of a file below contracts/. */
export type Mutation = { file: string; name: string; apply: (source: string) => string };

/** `from` stands exactly once in `file`. */
export type Edit = { file: string; from: string; to: string };

export type Copy = Awaited<ReturnType<typeof createCopy>>;

const open = new Set<Copy>();

/**
 * `quick`: compiled without the IR, which takes less time and makes no difference but in gas. Whatever is running ends,
 * and the copy is gone, also where the process is told to stop.
 */
export async function createCopy({ quick = false } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "wattwitness-"));
  const running = new Set<ReturnType<typeof spawn>>();
  for (const name of COPIED) await cp(join(ROOT, name), join(folder, name), { recursive: true });
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  if (quick) await change(join(folder, "hardhat.config.ts"), (text) => text.replaceAll("viaIR: true", "viaIR: false"));

  /** A program of Node's, with what it printed. */
  async function run(...args: string[]): Promise<{ code: number | null; output: string }> {
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    running.add(child);
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    running.delete(child);
    return { code, output: Buffer.concat(chunks).toString() };
  }

  const copy = {
    run,
    /** Hardhat compiles before it does anything else. Throws where the contracts do not compile. */
    async hardhat(...args: string[]): Promise<{ code: number | null; output: string }> {
      const { code, output } = await run(HARDHAT, ...args);
      if (output.includes("Compilation failed")) throw new Error(output);
      return { code, output };
    },
    /** Does `work` with a contract changed. */
    async mutated<T>({ file, apply }: Mutation, work: () => Promise<T>): Promise<T> {
      const path = join(folder, "contracts", file);
      const source = await change(path, apply);
      const result = await work();
      await writeFile(path, source);
      return result;
    },
    async remove() {
      for (const child of running) child.kill("SIGKILL");
      await rm(folder, { recursive: true, force: true });
      open.delete(copy);
    },
  };
  open.add(copy);
  return copy;
}

/** Returns what was there before. */
async function change(path: string, apply: (text: string) => string): Promise<string> {
  const text = await readFile(path, "utf8");
  await writeFile(path, apply(text));
  return text;
}

export async function mutationOf({ file, from, to }: Edit): Promise<Mutation> {
  const source = await readFile(join(ROOT, "contracts", file), "utf8");
  if (source.split(from).length !== 2) throw new Error(`${file} does not hold this once: ${from}`);
  const name = `${file}: ${from.replace(/\s+/g, " ")} → ${to || "nothing"}`;
  return { file, name, apply: (text) => text.replace(from, () => to) };
}

process.once("SIGINT", () => {
  void Promise.all([...open].map((copy) => copy.remove())).then(() => process.exit(130));
});
