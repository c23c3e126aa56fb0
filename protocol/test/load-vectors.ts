import { readFileSync } from "node:fs";
import type { Vectors } from "../vectors.ts";

/** protocol/vectors.json as it is committed. */
export const vectors: Vectors = JSON.parse(readFileSync(new URL("../vectors.json", import.meta.url), "utf8"));
