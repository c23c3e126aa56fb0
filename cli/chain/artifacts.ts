/** The compiled contracts, as the build left them: read without Hardhat, which an installation need not have. */
import { readFile } from "node:fs/promises";
import type { Abi, Hex } from "viem";
import type { Artifact } from "../../contracts/deploy.ts";
import { Problem } from "../problem.ts";

const FOLDER = new URL("../../artifacts/contracts/", import.meta.url);

/** `immutables`: where the deployed code holds what its constructor was told, in bytes. */
export type Compiled = Artifact & { deployedBytecode: Hex; immutables: { start: number; length: number }[] };

export async function compiled(name: string): Promise<Compiled> {
  const text = await readFile(new URL(`${name}.sol/${name}.json`, FOLDER), "utf8").catch(() => {
    throw new Problem("The contracts are not compiled here: npm run build.");
  });
  const { abi, bytecode, deployedBytecode, immutableReferences = {} } = JSON.parse(text);
  const immutables = Object.values<Compiled["immutables"]>(immutableReferences).flat();
  return { abi: abi as Abi, bytecode, deployedBytecode, immutables };
}
