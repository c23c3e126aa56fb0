/** Why a contract would refuse, in words: what the interfaces say of the error that it reverts with. */
import { type Abi, BaseError, ContractFunctionRevertedError, type Hex } from "viem";
import {
  functionsAttestorAbi,
  lensAbi,
  meterRegistryAbi,
  productionTokenAbi,
  wattWitnessAbi,
} from "../../contracts/abi.ts";
import { REFUSALS } from "../../contracts/errors.ts";
import { firstLine } from "../problem.ts";

/** Every error that a contract of ours may pass on from another one. */
export const errorsAbi: Abi = [
  ...new Map(
    [meterRegistryAbi, wattWitnessAbi, productionTokenAbi, functionsAttestorAbi, lensAbi]
      .flatMap((abi) => abi.filter(({ type }) => type === "error"))
      .map((error) => [JSON.stringify(error), error as Abi[number]]),
  ).values(),
];

/** What OpenZeppelin's contracts refuse. */
const OPENZEPPELIN: Record<string, string> = {
  AccessManagedUnauthorized: "the account has not the role that this needs",
  EnforcedPause: "this is paused by a guardian",
  ERC20InsufficientBalance: "the account has fewer tokens than that",
  ERC20InvalidReceiver: "tokens are sent to nobody",
  ERC721IncorrectOwner: "the meter is not that account's",
  ERC721InsufficientApproval: "the account neither owns the meter nor was approved by its owner",
  ERC721InvalidReceiver: "the receiver is a contract that takes no meters, or nobody",
  ERC721NonexistentToken: "a meter is asked for that is not registered",
};

/** What Chainlink Functions' router refuses. */
const CHAINLINK: Record<string, string> = {
  InvalidSubscription: "there is no such subscription",
  MustBeSubscriptionOwner: "the account does not own the subscription",
  OnlyCallableFromLink: "the router's LINK is another token",
  SenderMustAcceptTermsOfService: "the account has not accepted Chainlink's terms: once, at functions.chain.link",
  TooManyConsumers: "the subscription has as many consumers as it may have",
};

const WORDS: Record<string, string> = { ...OPENZEPPELIN, ...CHAINLINK, ...REFUSALS };

/** A sentence; undefined where it is not a contract that refuses. */
export function refusalIn(error: unknown): string | undefined {
  if (!(error instanceof BaseError)) return undefined;
  const revert = error.walk((cause) => cause instanceof ContractFunctionRevertedError);
  if (!(revert instanceof ContractFunctionRevertedError)) return undefined;
  const { data, reason, signature } = revert;
  if (!data) return `The contract refuses it: ${reason ?? (signature as Hex | undefined) ?? firstLine(error)}.`;
  const args = data.args && data.args.length > 0 ? ` (${data.args.map(String).join(", ")})` : "";
  const words = WORDS[data.errorName];
  return `The contract refuses it with ${data.errorName}${args}${words ? `: ${words}` : ""}.`;
}
