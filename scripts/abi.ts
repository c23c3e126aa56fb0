/** Writes contracts/abi.ts from the compiled contracts, so that whoever calls them needs no compiler: `npm run abi`. */
import { readFile } from "node:fs/promises";
import { writeGenerated } from "./generated.ts";

const CONTRACTS = ["MeterRegistry", "WattWitness", "ProductionToken", "FunctionsAttestor", "Lens"];

const root = new URL("../", import.meta.url);

async function abiOf(name: string): Promise<string> {
  const file = new URL(`artifacts/contracts/${name}.sol/${name}.json`, root);
  const { abi } = JSON.parse(await readFile(file, "utf8"));
  const constant = `${name[0]?.toLowerCase()}${name.slice(1)}Abi`;
  return `export const ${constant} = ${JSON.stringify(abi, null, 2)} as const;\n`;
}

const content = [
  "// Made from the compiled contracts by `npm run abi`.\n",
  ...(await Promise.all(CONTRACTS.map(abiOf))),
];
await writeGenerated(new URL("contracts/abi.ts", root), content.join("\n"), "npm run abi");
