export * from "./aggregate.ts";
export * from "./chainlink.ts";
export * from "./don.ts";
export * from "./report.ts";
export * from "./request.ts";
export * from "./turns.ts";
