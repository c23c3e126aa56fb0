/**
 * Runs the contracts' tests with coverage, and exits 1 unless they reach every line and every statement of the contracts:
 * `npm run coverage`. The figures are Hardhat's.
 */
import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const HARDHAT = fileURLToPath(new URL("../node_modules/hardhat/dist/src/cli.js", import.meta.url));
/** Of the report: file, line %, statement %, uncovered lines. */
const ROW = /(contracts\/\S+\.sol)\s*│\s*([\d.]+)\s*│\s*([\d.]+)\s*│\s*([^║]*?)\s*║/g;

const files = await readdir(`${ROOT}contracts/test`, { recursive: true });
const tests = files.filter((name) => name.endsWith(".test.ts")).sort();
const child = spawn(
  process.execPath,
  [HARDHAT, "test", "mocha", "--coverage", ...tests.map((name) => `contracts/test/${name}`)],
  { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] },
);
let output = "";
child.stdout.on("data", (chunk: Buffer) => {
  output += chunk;
  process.stdout.write(chunk);
});
process.once("SIGINT", () => child.kill("SIGINT"));
const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
if (code !== 0) process.exit(code ?? 1);

const rows = [...output.matchAll(ROW)].filter(([, file]) => !file?.startsWith("contracts/test/"));
const lacking = rows.filter(([, , lines, statements]) => lines !== "100.00" || statements !== "100.00");
for (const [, file, , , uncovered] of lacking) console.error(`${file} is not all tested: lines ${uncovered}`);
if (rows.length === 0) console.error("there is no coverage report");
process.exit(rows.length > 0 && lacking.length === 0 ? 0 : 1);
