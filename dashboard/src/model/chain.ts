/** The visitor's own way to the chain, `?rpc=URL`: never the oracle's. */
import { computed } from "@preact/signals";
import type { Place } from "../../../protocol/index.ts";
import { rpc } from "../../../verification/chain/reader.ts";
import { FROM_BLOCK, RPC } from "../settings.ts";
import { facts } from "./live.ts";

/** Undefined where the address names none: AskForChain asks for one. */
export const chain = RPC === undefined ? undefined : rpc(RPC);

/** Who answers, without a secret that its URL may have. */
export const NODE = RPC === undefined ? "" : new URL(RPC).host;

/** The deployment that the oracle serves; undefined until it said so. */
export const deployed = computed<Place | undefined>(() => {
  const { chain_id, registry } = facts.value ?? {};
  return chain_id === undefined || registry === undefined ? undefined : { chainId: chain_id, registry };
});

export const fromBlock = computed(() => FROM_BLOCK ?? facts.value?.from_block ?? 0);
