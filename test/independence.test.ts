import assert from "node:assert/strict";
import { glob, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

describe("the tests", () => {
  it("set up and clear away nothing for those of other files: no hook stands outside of a describe", async () => {
    const files: string[] = [];
    const exclude = (path: string) => path.includes("node_modules");
    for await (const path of glob("**/test/**/*.ts", { cwd: ROOT, exclude })) files.push(path);
    assert.ok(files.length > 100, String(files.length));
    for (const path of files) {
      assert.doesNotMatch(await readFile(`${ROOT}/${path}`, "utf8"), /^(before|after)(Each)?\(/m, path);
    }
  });
});

/** Paths from the root that a folder's files import, its own left out. */
async function importsOf(folder: string): Promise<Map<string, string[]>> {
  const imports = new Map<string, string[]>();
  for await (const path of glob(`${folder}/**/*.ts`, { cwd: ROOT, exclude: (path) => path.includes("/test") })) {
    const text = await readFile(`${ROOT}/${path}`, "utf8");
    const from = [...text.matchAll(/(?:from|import\() ?"(\.[^"]+)"/g)].map(([, to]) =>
      join(dirname(path), to as string),
    );
    imports.set(
      path,
      from.filter((to) => !to.startsWith(`${folder}/`)),
    );
  }
  return imports;
}

describe("the folders", () => {
  it("stand on what they may: the auditor on the protocol, its verification and the ABIs, and those on the protocol alone", async () => {
    const floors = {
      protocol: /^$/,
      verification: /^protocol\/index\.ts$/,
      auditor: /^(protocol\/index\.ts|verification\/.+|contracts\/abi\.ts)$/,
    };
    for (const [folder, floor] of Object.entries(floors)) {
      const imports = await importsOf(folder);
      assert.ok(imports.size > 5, folder);
      for (const [path, from] of imports) for (const to of from) assert.match(to, floor, path);
    }
  });

  it("leave the auditor to the command line: nothing else imports it", async () => {
    for (const folder of ["protocol", "verification", "contracts", "oracle", "meter", "demo", "functions-source"]) {
      for (const [path, from] of await importsOf(folder)) {
        assert.ok(!from.some((to) => to.startsWith("auditor/")), path);
      }
    }
  });
});
