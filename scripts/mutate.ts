/**
 * Breaks each guard of the contracts once and shows that some test notices: `npm run mutate [-- --only TEXT]`.
 * Every `require` is a mutation (its condition always holds), and so is every line of EDITS. Each is applied to a copy of
 * the project, where the contracts' tests must fail. Prints caught/total; exits 1 if one survives.
 */
import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const HARDHAT = join(ROOT, "node_modules", "hardhat", "dist", "src", "cli.js");
const COPIED = ["contracts", "protocol", "functions-source", "hardhat.config.ts", "package.json", "tsconfig.json"];
const TESTS = ["settle", "registry", "proofs", "attestor", "retirement", "canary", "vectors"].map(
  (name) => `contracts/test/${name}.test.ts`,
);
const GUARDED = ["WattWitness.sol", "MeterRegistry.sol", "ProductionToken.sol", "FunctionsAttestor.sol"];

type Mutation = { file: string; name: string; apply: (source: string) => string };

/** What a guard is not, but must be right: `from` stands exactly once in `file`. */
const EDITS: { file: string; from: string; to: string }[] = [
  { file: "WattWitness.sol", from: "CLOCK_TOLERANCE = 5 minutes", to: "CLOCK_TOLERANCE = 5 days" },
  { file: "WattWitness.sol", from: "BASELINE_AGE = 1 hours", to: "BASELINE_AGE = 2 hours" },
  { file: "WattWitness.sol", from: "if (item.settledSize != standing.logSize) {", to: "if (false) {" },
  { file: "WattWitness.sol", from: "if (attestation == 0 && !earlier)", to: "if (attestation == 0)" },
  {
    file: "WattWitness.sol",
    from: "earlier ? _checkEarlier(standing, item) : _checkProduction(standing, item)",
    to: "_checkProduction(standing, item)",
  },
  {
    file: "WattWitness.sol",
    from: "if (earlier) _record(standing, item.head, attestation);\n        else _advance",
    to: "_advance",
  },
  {
    file: "WattWitness.sol",
    from: "if (first.energy() < energy) (timestamp, energy) = (first.timestamp(), first.energy());",
    to: "",
  },
  { file: "WattWitness.sol", from: "if (first.energy() < energy) (", to: "if (first.energy() != energy) (" },
  { file: "WattWitness.sol", from: "(first.timestamp(), first.energy())", to: "(timestamp, first.energy())" },
  {
    file: "WattWitness.sol",
    from: "if (head.epoch != latest.epoch) _earlier[keyId][latest.epoch] = EarlierLog(latest.root, latest.size);",
    to: "",
  },
  {
    file: "WattWitness.sol",
    from: "token.mint(standing.terms.payee, produced * UNITS)",
    to: "token.mint(standing.terms.payee, produced * UNITS + 1)",
  },
  { file: "WattWitness.sol", from: "status != Status.None &&", to: "status == Status.None ||" },
  { file: "WattWitness.sol", from: "head.size < MerkleLog.SIZE_LIMIT &&\n", to: "" },
  { file: "WattWitness.sol", from: "_terms[keyId].payee = payee;", to: "" },
  {
    file: "MeterRegistry.sol",
    from: "if (from != address(0)) wattWitness.setPayee",
    to: "if (false) wattWitness.setPayee",
  },
  {
    file: "FunctionsAttestor.sol",
    from: "root != 0 && response.length == 32 && bytes32(response) == root",
    to: "root != 0 && response.length == 32",
  },
  { file: "FunctionsAttestor.sol", from: "response.length == 32 && ", to: "" },
  { file: "FunctionsAttestor.sol", from: "delete pendingRoot[requestId];", to: "" },
  { file: "libraries/Reading.sol", from: "HARMLESS_CONDITIONS = 0x06", to: "HARMLESS_CONDITIONS = 0x0E" },
  {
    file: "libraries/MerkleLog.sol",
    from: "proven := and(eq(sibling, end), eq(hash, root))",
    to: "proven := eq(hash, root)",
  },
  {
    file: "libraries/MerkleLog.sol",
    from: "consistent := and(eq(sibling, end), and(",
    to: "consistent := and(1, and(",
  },
  { file: "libraries/MerkleLog.sol", from: "and(eq(oldHash, fromRoot), eq(hash, toRoot))", to: "eq(hash, toRoot)" },
  {
    file: "libraries/MerkleLog.sol",
    from: "if (from == 0 || from >= to) return false;",
    to: "if (from == 0) return false;",
  },
];

/** Every `require(condition, …)` of a contract, as a mutation in which the condition always holds. */
function guardsOf(file: string, source: string): Mutation[] {
  return [...source.matchAll(/\brequire\(/g)].map(({ index }) => {
    const start = index + "require(".length;
    const end = endOfArgument(source, start);
    const condition = source.slice(start, end);
    return {
      file,
      name: `${file}: ${condition.replace(/\s+/g, " ").trim()}`,
      apply: (text) => `${text.slice(0, start)}true || (${condition})${text.slice(end)}`,
    };
  });
}

/** Every function that only some may call, as a mutation in which all may. */
function restrictionsOf(file: string, source: string): Mutation[] {
  return [...source.matchAll(/function (\w+)\([^)]*\) external( restricted| onlyRegistry)/g)].map(
    ([whole, name, modifier]) => ({
      file,
      name: `${file}: ${name} is${modifier}`,
      apply: (text) => text.replace(whole, () => whole.slice(0, -(modifier as string).length)),
    }),
  );
}

/** Where the argument that begins at `start` ends: at the first comma outside of parentheses. */
function endOfArgument(source: string, start: number): number {
  for (let [at, depth] = [start, 0]; at < source.length; at++) {
    if (source[at] === "(") depth += 1;
    if (source[at] === ")") depth -= 1;
    if (source[at] === "," && depth === 0) return at;
  }
  throw new Error("a require without an error");
}

async function mutations(): Promise<Mutation[]> {
  const read = (file: string) => readFile(join(ROOT, "contracts", file), "utf8");
  const guards = (await Promise.all(GUARDED.map(async (file) => guardsOf(file, await read(file))))).flat();
  const restrictions = (await Promise.all(GUARDED.map(async (file) => restrictionsOf(file, await read(file))))).flat();
  const edits = await Promise.all(
    EDITS.map(async ({ file, from, to }): Promise<Mutation> => {
      if ((await read(file)).split(from).length !== 2) throw new Error(`${file} does not hold this once: ${from}`);
      return {
        file,
        name: `${file}: ${from.replace(/\s+/g, " ")} → ${to || "nothing"}`,
        apply: (text) => text.replace(from, () => to),
      };
    }),
  );
  return [...guards, ...restrictions, ...edits];
}

/** A copy of the project that tests run in, with what is compiled already. */
async function createCopy(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "wattwitness-mutate-"));
  for (const name of [...COPIED, "artifacts", "cache"])
    await cp(join(ROOT, name), join(folder, name), { recursive: true });
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return folder;
}

/** Whether some test fails; the copy is left as it was. Throws where the mutated contract does not compile. */
async function isCaught(folder: string, { file, name, apply }: Mutation): Promise<boolean> {
  const path = join(folder, "contracts", file);
  const source = await readFile(path, "utf8");
  await writeFile(path, apply(source));
  if ((await hardhat(folder, "build", "--quiet")) !== 0) throw new Error(`does not compile: ${name}`);
  const code = await hardhat(folder, "test", "mocha", "--no-compile", "--bail", ...TESTS);
  await writeFile(path, source);
  return code !== 0;
}

async function hardhat(folder: string, ...args: string[]): Promise<number | null> {
  const child = spawn(process.execPath, [HARDHAT, ...args], { cwd: folder, stdio: "ignore" });
  running.add(child);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  running.delete(child);
  return code;
}

const running = new Set<ReturnType<typeof spawn>>();
const folders: string[] = [];
const clean = async () => {
  for (const child of running) child.kill("SIGKILL");
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
};
process.once("SIGINT", () => void clean().then(() => process.exit(130)));

const { values } = parseArgs({ options: { only: { type: "string" } } });
const all = (await mutations()).filter(({ name }) => name.includes(values.only ?? ""));
const queue = [...all];
const survivors: string[] = [];
let caught = 0;

const workers = Array.from({ length: Math.min(2, availableParallelism()) }, async () => {
  const folder = await createCopy();
  folders.push(folder);
  for (let next = queue.shift(); next; next = queue.shift()) {
    const noticed = await isCaught(folder, next);
    if (noticed) caught += 1;
    else survivors.push(next.name);
    console.log(`${noticed ? "caught  " : "SURVIVED"}  ${next.name}`);
  }
});
await Promise.all(workers).finally(clean);
console.log(`${caught}/${all.length} mutations caught`);
for (const name of survivors) console.log(`survived: ${name}`);
process.exit(survivors.length === 0 ? 0 : 1);
