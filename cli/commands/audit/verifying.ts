/** `wattwitness verify reading`, `retirement` and `batch`: one thing, with every step shown. */
import { readFile } from "node:fs/promises";
import type { Hex } from "viem";
import { type Told, verifyBatchFile, verifyRetirement } from "../../../auditor/index.ts";
import type { Place } from "../../../protocol/index.ts";
import { askNumber } from "../../../verification/chain/asking.ts";
import { proofFromText, type Step, verifyReading } from "../../../verification/index.ts";
import type { GlobalOptions } from "../../command.ts";
import { Problem } from "../../problem.ts";
import { list, written } from "../../terminal/telling.ts";
import { chainOf, type Judged } from "./options.ts";
import { findingText } from "./told.ts";

const isNamed = ({ network, registry }: GlobalOptions): boolean => network !== undefined || registry !== undefined;

async function bytesOf(file: string): Promise<Buffer> {
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new Problem(`${file} cannot be read: ${error.code}.`);
  });
}

async function chainIdOf({ chain }: ReturnType<typeof chainOf>): Promise<number> {
  const chainId = await askNumber(chain, "eth_chainId");
  if (!chainId.ok) throw new Problem(chainId.why.says);
  return chainId.value;
}

/* A READING */

const MARKS = { holds: "✔", refuted: "✖", unknown: "?" } as const;

export async function reading(file: string, options: GlobalOptions): Promise<Judged> {
  const proof = proofFromText((await bytesOf(file)).toString());
  if (!proof.ok) throw new Problem(`${file}: ${proof.problem}.`);
  const { chainId, registry } = proof.value;
  const named = options.rpcUrl !== undefined && isNamed(options) ? chainOf(options) : undefined;
  const place: Partial<Place> = named
    ? { chainId: await chainIdOf(named), registry: named.registry }
    : { ...(chainId && { chainId }), ...(registry && { registry }) };
  if (place.chainId === undefined || place.registry === undefined) {
    throw new Problem(
      "The file does not say which chain and registry it is for: --rpc-url with --network or --registry.",
    );
  }
  const against = { place: place as Place, ...(named && { chain: named.chain, fromBlock: named.fromBlock }) };
  const { verdict, steps } = await verifyReading(proof.value, against);
  const why = verdict.is === "verified" ? "" : ` ${verdict.why.says}`;
  return {
    verdict: verdict.is,
    text: [`${sentence(verdict.is)}${why}`, "", ...steps.map(stepText)].join("\n"),
    data: { why: verdict.is === "verified" ? null : verdict, steps },
  };
}

function stepText({ name, state, why, computed, expected, facts }: Step): string {
  const lines = [`${MARKS[state]} ${name}${why ? `: ${why.says}` : ""}`];
  if (computed !== undefined) lines.push(`    computed  ${computed}`);
  if (expected !== undefined) lines.push(`    expected  ${expected}`);
  for (const [fact, value] of Object.entries(facts)) lines.push(`    ${fact}  ${value}`);
  return lines.join("\n");
}

const sentence = (verdict: string): string => `${verdict[0]?.toUpperCase()}${verdict.slice(1)}.`;

/* A RETIREMENT, A BATCH */

export async function retirement(serial: number, options: GlobalOptions): Promise<Judged> {
  const named = chainOf(options);
  const place = { chainId: await chainIdOf(named), registry: named.registry };
  return judged(await verifyRetirement(named.chain, place, serial, named.fromBlock));
}

export async function batch(file: string, options: GlobalOptions): Promise<Judged> {
  const bytes = await bytesOf(file);
  if (!isNamed(options) || options.rpcUrl === undefined) return judged(await verifyBatchFile(bytes, {}));
  const named = chainOf(options);
  const place = { chainId: await chainIdOf(named), registry: named.registry as Hex };
  return judged(await verifyBatchFile(bytes, { place, chain: named.chain }));
}

function judged({ verdict, findings, facts }: Told): Judged {
  const { segments, ...rest } = facts as { segments?: Record<string, unknown>[] } & Record<string, unknown>;
  const shown = (values: Record<string, unknown>) =>
    list(
      Object.fromEntries(Object.entries(values).map(([name, value]) => [name.replaceAll("_", " "), shownValue(value)])),
    );
  const text = [
    sentence(verdict),
    ...(Object.keys(rest).length > 0 ? ["", shown(rest)] : []),
    ...(segments ?? []).map((segment) => `\n${shown(segment)}`),
    ...findings.map(findingText),
  ];
  return { verdict, text: text.join("\n"), data: { findings, ...facts } };
}

/** A text of anybody's gives no orders to a terminal. */
const shownValue = (value: unknown): string =>
  typeof value === "string" && !/^[\w.+:/ -]*$/.test(value) ? written(value) : String(value);
