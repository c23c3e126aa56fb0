/** Every handler, in one program: graph-node runs it for all four contracts, and it is compiled once. */
export * from "./functions-attestor";
export * from "./meter-registry";
export * from "./production-token";
export * from "./watt-witness";
