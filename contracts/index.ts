/** The contracts for programs: typed ABIs, why they refuse, and where they are. */
import networks from "../subgraph/networks.json" with { type: "json" };

export * from "./abi.ts";
export { REFUSALS } from "./errors.ts";

/** `startBlock`: no event is in an earlier one. */
export type Source = { address: `0x${string}`; startBlock: number };

/** A deployment without Chainlink has no attestor. */
export type Network = {
  MeterRegistry: Source;
  WattWitness: Source;
  ProductionToken: Source;
  FunctionsAttestor?: Source;
};

/** By the network's name, as The Graph has it; `localhost` is the chain of `npm start`. */
export const NETWORKS = networks as Record<string, Network>;
