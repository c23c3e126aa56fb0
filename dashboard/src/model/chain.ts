/** The visitor's own way to the chain, `?rpc=URL`: never the oracle's. */
import { rpc } from "../../../verification/index.ts";
import { RPC } from "../settings.ts";

/** Undefined where the address names none: AskForChain asks for one. */
export const chain = RPC === undefined ? undefined : rpc(RPC);
