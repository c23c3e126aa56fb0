/** What the verbs of an auditor are told, and how what goes wrong comes out: nothing but a refutation ends with 1. */
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { InvalidArgumentError } from "commander";
import { type Hex, keccak256 } from "viem";
import { CODES, type Verdict } from "../../../auditor/finding.ts";
import { type ChainReader, RpcError, rpc } from "../../../verification/index.ts";
import { namedContracts } from "../../chain/deployment.ts";
import type { GlobalOptions } from "../../command.ts";
import { EXIT, firstLine, Problem } from "../../problem.ts";
import type { Answer } from "../../terminal/telling.ts";

const SOURCE_FILE = new URL("../../../functions-source/verify-batch.js", import.meta.url);

/** ms that a node may take to look through its blocks */
const PATIENCE = 60_000;

export const places = (text: string, before: string[] = []): string[] => [...before, text];

/** Unix time, s. */
export function day(text: string): number {
  const isDate = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?Z?)?$/.test(text);
  const time = isDate ? Date.parse(text.length === 10 || text.endsWith("Z") ? text : `${text}Z`) : Number.NaN;
  if (Number.isNaN(time)) throw new InvalidArgumentError("It is no date: 2026-03-20, or 2026-03-20T12:00 (UTC).");
  return time / 1000;
}

export type Judged = { verdict: Verdict; text: string; data: object };

/** The exit code is the verdict's; whatever keeps from judging is "cannot tell". */
export const judging =
  // biome-ignore lint/suspicious/noExplicitAny: whatever commander hands on
    <A extends any[]>(act: (...given: A) => Promise<Judged>) =>
    async (...given: A): Promise<Answer> => {
      try {
        const { verdict, text, data } = await act(...given);
        process.exitCode = CODES[verdict];
        return { text, data: { verdict, ...data } };
      } catch (error) {
        throw new Problem(error instanceof Problem ? error.message : `It failed: ${firstLine(error)}`, EXIT.usage);
      }
    };

export type Chain = { chain: ChainReader; registry: Hex; fromBlock: number };

export function chainOf(options: GlobalOptions): Chain {
  const { registry, fromBlock } = namedContracts(options);
  return { chain: nodeAt(options.rpcUrl), registry: registry.toLowerCase() as Hex, fromBlock: Number(fromBlock) };
}

export function nodeAt(url: string | undefined): ChainReader {
  if (url === undefined) {
    throw new Problem("No node of the chain is named: --rpc-url URL, or WATTWITNESS_RPC_URL in the environment.");
  }
  // it is not repeated: many a node's URL holds a key
  if (!URL.canParse(url) || !/^https?:/.test(url)) throw new Problem("A node's URL begins with http:// or https://.");
  return patient(rpc(url, PATIENCE));
}

/** ms after which a node that did not answer is asked again: it may have been asked too much at once */
const AGAIN = [500, 1000, 2000];

/** An audit asks thousands of questions: one that fails for once is no reason not to tell. */
function patient(chain: ChainReader): ChainReader {
  const request: ChainReader["request"] = async (call) => {
    for (const wait of AGAIN) {
      try {
        return await chain.request(call);
      } catch (error) {
        // it did answer, and that it will not
        if (error instanceof RpcError) throw error;
        await delay(wait);
      }
    }
    return chain.request(call);
  };
  return { request };
}

/** Of what a DON must have run, as the contract keeps it. */
export const sourceHash = async (): Promise<Hex> => keccak256(await readFile(SOURCE_FILE));
