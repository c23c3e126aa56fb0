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

/** Whatever is running ends, and the copies are gone, also where the process is told to stop. */
export async function createCopy() {
  const folder = await mkdtemp(join(tmpdir(), "wattwitness-"));
  const running = new Set<ReturnType<typeof spawn>>();
  for (const name of COPIED) await cp(join(ROOT, name), join(folder, name), { recursive: true });
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));

  async function run(...args: string[]): Promise<{ code: number | null; output: string }> {
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "ignore"] });
    running.add(child);
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    running.delete(child);
    return { code, output: Buffer.concat(chunks).toString() };
  }
  const hardhat = (...args: string[]) => run(HARDHAT, ...args);

  const copy = {
    run,
    hardhat,
    /** Does `work` with the contracts changed and compiled. Throws where they do not compile. */
    async mutated<T>({ file, name, apply }: Mutation, work: () => Promise<T>): Promise<T> {
      const path = join(folder, "contracts", file);
      const source = await readFile(path, "utf8");
      await writeFile(path, apply(source));
      const { code } = await hardhat("build", "--no-tests", "--quiet");
      if (code !== 0) throw new Error(`does not compile: ${name}`);
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

export async function mutationOf({ file, from, to }: Edit): Promise<Mutation> {
  const source = await readFile(join(ROOT, "contracts", file), "utf8");
  if (source.split(from).length !== 2) throw new Error(`${file} does not hold this once: ${from}`);
  const name = `${file}: ${from.replace(/\s+/g, " ")} → ${to || "nothing"}`;
  return { file, name, apply: (text) => text.replace(from, () => to) };
}

process.once("SIGINT", () => {
  void Promise.all([...open].map((copy) => copy.remove())).then(() => process.exit(130));
});
