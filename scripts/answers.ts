/**
 * `npm run answers`: lets `npm start -- --once --indexer --speed 3600` run, and writes what its subgraph answered into
 * subgraph/README.md. Another run answers with other numbers, so nothing is wrong where they differ.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { README, readQuestions, withAnswers } from "../subgraph/questions.ts";

const DEMO = fileURLToPath(new URL("../demo/main.ts", import.meta.url));
/** Faster than by default, so that a few hours pass. */
const OPTIONS = ["--once", "--indexer", "--json", "--speed", "3600"];
const ANY_PORT = ["--port", "0", "--chain-port", "0", "--indexer-port", "0"];

const demo = spawn(process.execPath, [DEMO, ...OPTIONS, ...ANY_PORT], {
  stdio: ["ignore", "pipe", "inherit"],
});
let output = "";
demo.stdout.on("data", (chunk) => {
  output += chunk;
});
const [code] = await once(demo, "close");
if (code !== 0) process.exit(code ?? 1);

const { subgraph_answers: answers } = JSON.parse(output.trim().split("\n").at(-1) as string) as {
  subgraph_answers: { title: string; answer: unknown }[];
};
const inOrder = (await readQuestions()).map(({ title }) => answers.find((one) => one.title === title)?.answer);
await writeFile(README, withAnswers(await readFile(README, "utf8"), inOrder));
console.log(`${inOrder.length} answers written to ${README}`);
