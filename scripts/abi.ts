/**
 * Writes contracts/abi.ts from the compiled contracts, so that whoever calls them needs no compiler, and contracts/errors.ts
 * from what their interfaces say of their errors: `npm run abi`.
 */
import { readdir, readFile } from "node:fs/promises";
import { writeGenerated } from "./generated.ts";

const CONTRACTS = [
  ...["MeterRegistry", "WattWitness", "ProductionToken", "FunctionsAttestor", "Lens"],
  ...["certificates/HourlyCertificates", "parks/ParkFactory", "parks/SolarPark", "parks/RestrictedPark"],
  "parks/ParkGovernor",
];

const root = new URL("../", import.meta.url);

async function abiOf(path: string): Promise<string> {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const file = new URL(`artifacts/contracts/${path}.sol/${name}.json`, root);
  const { abi } = JSON.parse(await readFile(file, "utf8"));
  const constant = `${name[0]?.toLowerCase()}${name.slice(1)}Abi`;
  return `export const ${constant} = ${JSON.stringify(abi, null, 2)} as const;\n`;
}

const content = [
  "// Made from the compiled contracts by `npm run abi`.\n",
  ...(await Promise.all(CONTRACTS.map(abiOf))),
];
await writeGenerated(new URL("contracts/abi.ts", root), content.join("\n"), "npm run abi");

/** What the interfaces say of each error, without "Thrown when", by its name. */
async function wordsOfErrors(): Promise<Record<string, string>> {
  const folder = new URL("contracts/interfaces/", root);
  const words: Record<string, string> = {};
  for (const name of (await readdir(folder)).sort()) {
    const source = await readFile(new URL(name, folder), "utf8");
    for (const [, notice = "", error = ""] of source.matchAll(
      /@notice Thrown ([^@]*)(?:@(?!notice)[^@]*)*?\serror (\w+)\(/g,
    )) {
      words[error] = notice
        .replaceAll(/\s*\/\/\/\s*/g, " ")
        .trim()
        .replace(/^when /, "")
        .replace(/\.$/, "");
    }
  }
  return words;
}

const words = await wordsOfErrors();
await writeGenerated(
  new URL("contracts/errors.ts", root),
  [
    "// Made from the contracts' interfaces by `npm run abi`.\n\n",
    "/** When the contracts refuse, by the error that they revert with. */\n",
    `export const REFUSALS = ${JSON.stringify(words, null, 2)} as const;\n`,
  ].join(""),
  "npm run abi",
);
