import assert from "node:assert/strict";
import { glob, readFile } from "node:fs/promises";
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
