/** What an audit has verified, kept in a file, so that the next one goes on from it: as long as the chain is still that one. */
import { createHash, randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import type { Hex } from "viem";
import type { Deployment } from "./chain/history.ts";
import type { Verified } from "./evidence/checking.ts";

const FORMAT = "WattWitness/1 audit";

export type Checkpoint = {
  format: typeof FORMAT;
  chainId: number;
  registry: Hex;
  block: { number: number; hash: Hex };
  verified: Verified;
};

export const checkpointOf = (
  { chainId, registry }: Deployment,
  { number, hash }: { number: number; hash: Hex },
  verified: Verified,
): Checkpoint => ({ format: FORMAT, chainId, registry, block: { number, hash }, verified });

/** Undefined where there is none; throws where it is something else. */
export async function readCheckpoint(file: string): Promise<Checkpoint | undefined> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const [line = ""] = text.split("\n", 1);
  const isOurs = text === sealed(line) && line.startsWith(`{"format":"${FORMAT}"`);
  if (!isOurs) throw new Error(`${file} is no checkpoint of an audit, or not as it was left`);
  const json = JSON.parse(line) as Omit<Checkpoint, "verified"> & { verified: object };
  return { ...json, verified: new Map(Object.entries(json.verified)) };
}

/** Whole or not at all. */
export async function writeCheckpoint(file: string, checkpoint: Checkpoint): Promise<void> {
  const text = sealed(JSON.stringify({ ...checkpoint, verified: Object.fromEntries(checkpoint.verified) }));
  const beside = `${file}.${randomBytes(4).toString("hex")}`;
  await writeFile(beside, text);
  await rename(beside, file);
}

/** What is in it is not verified again, so that a disk's error in it must be seen. */
const sealed = (line: string): string => `${line}\n${createHash("sha256").update(line).digest("hex")}\n`;
