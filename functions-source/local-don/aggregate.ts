/**
 * How the nodes' answers become one, as Chainlink's nodes do it: of N nodes F may be faulty, N = 3F + 1. At least 2F + 1
 * must have answered. Where more of them erred than did not, the error is the one that most of them name; else the answer
 * is the median of the answers, shorter before longer, then by their bytes. Three nodes of four decide alone, and where
 * two answer and two err, it is the two that answer: "the DON says so" proves nothing, which is why the contract accepts
 * no answer but the one it asked for.
 */
import { type Hex, hexToBytes, size, sliceHex, stringToHex } from "viem";
import type { Answer } from "../sandbox.ts";

export const FAULTY = 1;
export const NODES = 3 * FAULTY + 1;
export const OBSERVATIONS_NEEDED = 2 * FAULTY + 1;
/** floor((N + F) / 2) + 1, as the coordinator counts them */
export const SIGNATURES_NEEDED = Math.floor((NODES + FAULTY) / 2) + 1;

/** bytes of an error text that go on chain */
const ERROR_LIMIT = 256;

/** One of the two is empty. */
export type Outcome = { response: Hex; error: Hex };

/** undefined = too few answers for a report */
export function aggregate(answers: readonly Answer[]): Outcome | undefined {
  if (answers.length < OBSERVATIONS_NEEDED) return undefined;
  const errors = answers.flatMap((answer) => ("error" in answer ? [answer.error] : []));
  const responses = answers.flatMap((answer) => ("response" in answer ? [answer.response] : []));
  if (errors.length > responses.length) return { response: "0x", error: onChain(mostFrequent(errors)) };
  return { response: median(responses), error: "0x" };
}

function onChain(error: string): Hex {
  const bytes = stringToHex(error);
  return size(bytes) > ERROR_LIMIT ? sliceHex(bytes, 0, ERROR_LIMIT) : bytes;
}

const mostFrequent = (texts: readonly string[]): string => {
  const count = (text: string) => texts.filter((other) => other === text).length;
  return texts.reduce((best, text) => (count(text) > count(best) ? text : best));
};

const median = (list: readonly Hex[]): Hex =>
  list
    .map((hex) => ({ hex, bytes: hexToBytes(hex) }))
    .sort((a, b) => a.bytes.length - b.bytes.length || Buffer.compare(a.bytes, b.bytes))
    .map(({ hex }) => hex)[(list.length - 1) >> 1] as Hex;
