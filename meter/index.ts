export * from "./counting.ts";
export * from "./device.ts";
export * from "./meter.ts";
export * from "./register.ts";
export * from "./sun.ts";
export * from "./upload.ts";
