export * from "./attestation.ts";
export * from "./batch.ts";
export { equal, fromHex, toHex } from "./bytes.ts";
export * from "./log.ts";
export * from "./reading.ts";
export * from "./result.ts";
export * from "./signature.ts";
export * from "./signing.ts";
export * from "./statement.ts";
