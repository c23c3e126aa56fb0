import { readFileSync } from "node:fs";
import type { Vectors } from "../vectors.ts";

/** protocol/vectors.json as it is committed. */
export const vectors: Vectors = JSON.parse(readFileSync(new URL("../vectors.json", import.meta.url), "utf8"));

type Case = { name: string; failure?: string };

/** The name of a vector's test. */
export const title = ({ name, failure }: Case): string => (failure ? `refuses ${name}: ${failure}` : `accepts ${name}`);

export const refusalsFirst = <T extends Case>(cases: readonly T[]): T[] =>
  [...cases].sort((a, b) => Number(b.failure !== undefined) - Number(a.failure !== undefined));
