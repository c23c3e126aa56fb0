/** Contracts that a document lists, compiled as whoever has the package would. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { ROOT } from "./place.ts";

const require = createRequire(import.meta.url);

/** What solc has against it. */
export function problemsOf(name: string, content: string): string[] {
  const input = {
    language: "Solidity",
    sources: { [name]: { content } },
    settings: { remappings: [`wattwitness/contracts/=${ROOT}contracts/`], outputSelection: { "*": { "*": ["abi"] } } },
  };
  const { errors = [] } = JSON.parse(require("solc").compile(JSON.stringify(input), { import: imported }));
  return errors.map(({ formattedMessage }: { formattedMessage: string }) => formattedMessage);
}

function imported(path: string): { contents: string } | { error: string } {
  try {
    return { contents: readFileSync(path.startsWith(ROOT) ? path : join(ROOT, "node_modules", path), "utf8") };
  } catch (error) {
    return { error: (error as Error).message };
  }
}
