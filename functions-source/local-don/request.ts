/** What a client contract asks for: FunctionsRequest of @chainlink/contracts, a CBOR sequence of keys and values. */
import { decodeFirst } from "cborg";
import { bigIntDecoder } from "cborg/taglib";
import { bytesToHex, type Hex, hexToBytes } from "viem";
import type { SandboxRequest } from "../sandbox.ts";

/** On chain these are written as bignums. */
const INLINE = 0n;
const JAVASCRIPT = 0n;
const TAGS = { tags: { 2: bigIntDecoder } };

/** The service takes no longer requests. */
const REQUEST_LIMIT = 30 * 1024;

/** A request that runs without secrets from inline JavaScript; anything else is an error that all nodes report alike. */
export function decodeRequest(data: Hex): SandboxRequest | { error: string } {
  let rest = hexToBytes(data);
  if (rest.length > REQUEST_LIMIT) return { error: "request too large" };
  const fields = new Map<unknown, unknown>();
  try {
    while (rest.length > 0) {
      const [key, afterKey] = decodeFirst(rest, TAGS);
      const [value, afterValue] = decodeFirst(afterKey, TAGS);
      fields.set(key, value);
      rest = afterValue;
    }
  } catch {
    return { error: "malformed request" };
  }
  const { codeLocation, language, secrets, source, args = [], bytesArgs = [] } = Object.fromEntries(fields);
  if (codeLocation !== INLINE || language !== JAVASCRIPT || secrets !== undefined) {
    return { error: "unsupported request" };
  }
  if (typeof source !== "string" || !isListOf(args, isText) || !isListOf(bytesArgs, isBytes)) {
    return { error: "malformed request" };
  }
  return { source, args, bytesArgs: bytesArgs.map((bytes) => bytesToHex(bytes)) };
}

const isText = (value: unknown): value is string => typeof value === "string";
const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array;

function isListOf<T>(list: unknown, is: (value: unknown) => value is T): list is T[] {
  return Array.isArray(list) && list.every(is);
}
