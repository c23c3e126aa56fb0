import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

const ROOT = new URL("../", import.meta.url);
/** `file`: "sentence" */
const REFERENCE = /`([^`]+\.(?:test\.ts|test\.c|t\.sol))`: "([^"]+)"/g;

describe("SECURITY.md", () => {
  it("names a test for every threat that the contracts answer, and each of them exists", async () => {
    const text = await readFile(new URL("SECURITY.md", ROOT), "utf8");
    const threats = text.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| who |"));
    assert.ok(threats.length > 20);
    for (const threat of threats) {
      const references = [...threat.matchAll(REFERENCE)] as unknown as [string, string, string][];
      assert.ok(references.length > 0 || threat.includes("none: outside"), `without a test: ${threat}`);
      for (const [, file, sentence] of references) {
        const source = await readFile(new URL(file, ROOT), "utf8");
        assert.ok(source.includes(sentence), `${file} has no test "${sentence}"`);
      }
    }
  });
});
