/** What a deployment can be told, as it is meant. */
import { InvalidArgumentError } from "commander";
import { encodePacked, type Hex, isHex, keccak256, stringToHex } from "viem";
import { NEVER } from "../../../contracts/deploy.ts";
import { isNetworkName } from "../../../subgraph/networks.ts";
import type { SendOptions } from "../../chain/sending.ts";
import { EXIT, Problem } from "../../problem.ts";

/** Roles that an account can be given right away, in the order in which they are granted. */
export const GRANTED = ["administrator", "registrar", "operator", "guardian"] as const;

export type DeployOptions = SendOptions & {
  network: string;
  rpcUrl?: string;
  router?: Hex;
  donId?: Hex;
  withoutFunctions?: boolean;
  withoutPrecompile?: boolean;
  /** s, or NEVER */
  unattestedAfter: number;
  /** W */
  capacityCeiling: number;
  predecessor?: Hex;
  /** what the addresses are made of */
  create2?: string;
  keepOpen?: boolean;
  networksFile?: string;
  journal?: string;
} & Partial<Record<(typeof GRANTED)[number], Hex>>;

/** Chainlink's; undefined = no attestor is deployed. */
export type Functions = { router: Hex; donId: Hex } | undefined;

export function functionsOf({ router, donId, withoutFunctions }: DeployOptions): Functions {
  if (withoutFunctions) {
    if (router === undefined && donId === undefined) return undefined;
    throw new Problem("--router and --don-id do not go with --without-functions.", EXIT.usage);
  }
  if (router !== undefined && donId !== undefined) return { router, donId };
  throw new Problem("Which DON? --router 0x… and --don-id ID, or --without-functions for none.", EXIT.usage);
}

/* EACH THROWS InvalidArgumentError. */

export function networkName(text: string): string {
  if (!isNetworkName(text)) throw new InvalidArgumentError("It is no name: small letters, digits, - and .");
  return text;
}

/** The deployer's own: nobody else's deployment takes the addresses by accident. */
export const saltOf = (deployer: Hex, { create2 }: DeployOptions): Hex | undefined =>
  create2 === undefined ? undefined : keccak256(encodePacked(["address", "string"], [deployer, create2]));

/** As Chainlink encodes it: ASCII, zeros to its right, one of them at least. */
export function donId(text: string): Hex {
  if (text.startsWith("0x") ? isHex(text) && text.length === 66 : /^[\x21-\x7e]{1,31}$/.test(text)) {
    return isHex(text) ? text : stringToHex(text, { size: 32 });
  }
  throw new InvalidArgumentError("It must be 1 to 31 ASCII characters, or 0x and 32 bytes.");
}

export function unattestedAfter(text: string): number {
  if (text === "never") return NEVER;
  if (text === "always") return 0;
  const seconds = /^\d{1,10}$/.test(text) ? Number(text) : NEVER;
  if (seconds >= NEVER) throw new InvalidArgumentError("It must be seconds, never or always.");
  return seconds;
}
