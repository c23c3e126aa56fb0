/**
 * What devices write: applications, from a file or from the oracle at which they wait, and rotations, as their console prints
 * them.
 */
import { readFile } from "node:fs/promises";
import { text as textOf } from "node:stream/consumers";
import Type, { type Static } from "typebox";
import { Value } from "typebox/value";
import type { Hex } from "viem";
import { firstLine, Problem } from "./problem.ts";

const hex = (bytes: number) => Type.Unsafe<Hex>(Type.String({ pattern: `^0x[0-9a-fA-F]{${2 * bytes}}$` }));

export const Application = Type.Object({
  /** x ‖ y */
  publicKey: hex(64),
  owner: hex(20),
  /** W */
  capacity: Type.Integer({ minimum: 0, maximum: 0xffff_ffff }),
  source: Type.Integer({ minimum: 0, maximum: 0xff }),
  details: hex(32),
  baseline: Type.Object({
    epoch: Type.Integer({ minimum: 0, maximum: 0xffff_ffff }),
    size: Type.Integer({ minimum: 0, maximum: 2 ** 40 }),
    reading: hex(32),
    root: hex(32),
  }),
  /** the key's signature over the claim, r ‖ s */
  claim: hex(64),
});
export type Application = Static<typeof Application>;

/** ms that an oracle may take to answer */
const PATIENCE = 15_000;

function applicationIn(json: unknown, from: string): Application {
  const value = Value.Clean(Application, json);
  if (Value.Check(Application, value)) return value;
  const [first] = Value.Errors(Application, value);
  const where = first?.instancePath.slice(1).replaceAll("/", ".");
  throw new Problem(`${from} is no application for registration${where ? `: ${where} ${first?.message}` : ""}.`);
}

/** `-` is standard input. */
async function read(file: string): Promise<string> {
  if (file === "-") return textOf(process.stdin);
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new Problem(`${file} cannot be read (${error.code}).`);
  });
}

export async function applicationInFile(file: string): Promise<Application> {
  const text = await read(file);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Problem(`${file} is no JSON.`);
  }
  return applicationIn(json, file);
}

export type Waiting = { keyId: Hex; status: "pending" | "registered"; application: Application };

/** All that an oracle has. */
export async function applicationsAt(oracle: string): Promise<Waiting[]> {
  if (!URL.canParse(oracle)) throw new Problem(`--oracle ${oracle} is no URL: http://… or https://…`);
  const url = new URL("registrations", oracle.endsWith("/") ? oracle : `${oracle}/`);
  let answer: { registrations: { keyId: Hex; status: Waiting["status"] }[] };
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    answer = (await response.json()) as typeof answer;
    if (!Array.isArray(answer?.registrations)) throw new Error("no applications");
  } catch (error) {
    throw new Problem(`The oracle at ${oracle} does not answer as one: ${firstLine(error)}`);
  }
  return answer.registrations.map((each) => ({
    ...{ keyId: each.keyId, status: each.status },
    application: applicationIn(each, `An answer of ${oracle}`),
  }));
}

/** What a device's `rotate` prints: `rotation` is its key's signature, r ‖ s. */
export type Rotation = { meter: Hex; oldKeyId: Hex; newKeyId: Hex; rotation: Hex };

/** A session on the console may stand around it; of several the last one counts. */
export async function rotationInFile(file: string): Promise<Rotation> {
  const text = await read(file);
  const said = (name: string, bytes: number): Hex => {
    const found = [...text.matchAll(new RegExp(`^${name} +(0x[0-9a-f]{${2 * bytes}})\\s*$`, "gim"))].at(-1)?.[1];
    if (found !== undefined) return found.toLowerCase() as Hex;
    throw new Problem(
      `${file} is no rotation, it has no line of ${name} with ${bytes} bytes: it is what the old device prints for rotate NEW_KEY_ID.`,
    );
  };
  return {
    ...{ meter: said("meter", 32), oldKeyId: said("old key id", 32), newKeyId: said("new key id", 32) },
    rotation: said("rotation", 64),
  };
}
