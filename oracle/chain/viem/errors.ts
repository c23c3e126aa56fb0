/** What nodes say when they refuse, each in words of its own. */
import { BaseError, decodeErrorResult, HttpRequestError, parseAbi, RpcRequestError, TimeoutError } from "viem";
import { functionsAttestorAbi } from "../../../contracts/abi.ts";
import type { Hex } from "../chain.ts";
import { EVENTS_ABI } from "./events.ts";

/** Of Chainlink's coordinator, and of its router. */
const BILLING_ABI = parseAbi(["error InsufficientBalance()", "error InsufficientBalance(uint96 balance)"]);
const ERRORS_ABI = [...EVENTS_ABI, ...functionsAttestorAbi, ...BILLING_ABI] as const;

/** The node's own words, in one line. */
const wordsOf = (error: unknown): string =>
  error instanceof BaseError ? `${error.details} ${error.shortMessage}` : String(error);

/**
 * Whether a transaction was refused because it, or one in its place, is there already: geth, Nethermind (AlreadyKnown,
 * OldNonce), Besu, Erigon, Reth, anvil, Hardhat, Arbitrum and OP nodes. What became of it, its receipt will tell.
 */
export const isThereAlready = (error: unknown): boolean =>
  /already[ _]?(known|imported|exists|in)|known transaction|nonce[ _]?(is )?too[ _]?low|old[ _]?nonce|in (the )?(mem|tx|transaction )?pool|lower than the current nonce|nonce has already been used|nonce_expired|duplicate transaction|transaction_?already/i.test(
    wordsOf(error),
  );

/** Whether fewer blocks might be answered: the node is there, it answered, and it is not we who ask too often. */
export function mayBeTooMuch(error: unknown): boolean {
  if (!(error instanceof BaseError)) return false;
  if (
    /rate|per (second|minute|day)|daily|quota|credits|compute units|too many requests|unauthori[sz]ed/i.test(
      wordsOf(error),
    )
  ) {
    return false;
  }
  const isAnswer = (cause: unknown) =>
    cause instanceof RpcRequestError ||
    cause instanceof TimeoutError ||
    (cause instanceof HttpRequestError && cause.status !== undefined && ![401, 403, 429].includes(cause.status));
  return error.walk(isAnswer) !== null;
}

/** Whether a call takes more gas than the node gives to an estimate, or a block to a transaction. */
export const isOutOfGas = (error: unknown): boolean =>
  /out of gas|exceeds (the )?(allowance|block gas|transaction gas)|gas limit (is )?(too high|exceeded)|gas required exceeds|transaction gas (limit|cap)|OutOfGas/i.test(
    wordsOf(error),
  );

/** Whether a call was refused by the contract, not by the node. */
export const isRevert = (error: unknown): boolean =>
  error instanceof BaseError &&
  error.walk((cause) => cause instanceof BaseError && /revert/i.test(`${cause.name} ${cause.message}`)) !== null;

/** Whether a subscription has too little LINK for what was asked. */
export const isUnfunded = (error: unknown): boolean => reasonOf(error).startsWith("InsufficientBalance(");

/** The contract's error with its values, if it can be told. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof BaseError)) return String(error);
  const carrier = error.walk((cause) => typeof (cause as { data?: unknown }).data === "string");
  try {
    const { errorName, args } = decodeErrorResult({
      abi: ERRORS_ABI,
      data: (carrier as unknown as { data: Hex }).data,
    });
    return `${errorName}(${(args ?? []).join(", ")})`;
  } catch {
    return error.details || error.shortMessage;
  }
}
