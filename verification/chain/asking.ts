/** One question to a node: an answer in the form it must have, or a word for what is wrong with it. */
import { fromHex } from "../../protocol/index.ts";
import type { Hex } from "../proof.ts";
import type { Why } from "../steps.ts";
import type { ChainReader } from "./reader.ts";

/** An answer that is none is a value: it makes a step unknown. */
export type Answer<T> = { ok: true; value: T } | { ok: false; why: Why };

export const answered = <T>(value: T): Answer<T> => ({ ok: true, value });
export const unanswered = (rule: Why["rule"], says: string): { ok: false; why: Why } => ({
  ok: false,
  why: { rule, says },
});

/** What a node answers to a method, as it is. Refuses: `unreachable`, `refuses`. */
export async function ask(
  chain: ChainReader,
  method: string,
  params: readonly unknown[] = [],
): Promise<Answer<unknown>> {
  try {
    return answered(await chain.request({ method, params }));
  } catch (error) {
    const says = error instanceof Error ? error.message : String(error);
    const isAnswer = typeof error === "object" && error !== null && "code" in error && typeof error.code === "number";
    return isAnswer && !(error instanceof DOMException)
      ? unanswered("refuses", `The chain's node refuses ${method}: ${says}`)
      : unanswered("unreachable", `The chain's node cannot be asked: ${says}`);
  }
}

/** A quantity of JSON-RPC (execution-apis, "Hex value encoding"). Refuses `nonsense`, too. */
export async function askNumber(chain: ChainReader, method: string): Promise<Answer<number>> {
  const answer = await ask(chain, method);
  if (!answer.ok) return answer;
  const number = quantity(answer.value);
  return number === undefined
    ? unanswered("nonsense", `The chain's node answers ${method} with no number.`)
    : answered(number);
}

/** Undefined where it is none, or not below 2^53. */
export function quantity(json: unknown): number | undefined {
  if (typeof json !== "string" || !/^0x[0-9a-f]{1,14}$/i.test(json)) return undefined;
  const number = Number(json);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** Undefined where it is no text of whole bytes. */
export const octets = (json: unknown): Uint8Array | undefined =>
  typeof json === "string" && /^0x([0-9a-f]{2})*$/i.test(json) ? fromHex(json) : undefined;

export const tag = (block: number): Hex => `0x${block.toString(16)}`;
