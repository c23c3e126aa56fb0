/** A bucket of an S3 server on this machine; s3rver brings no types. */
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";

type S3rver = { run(): Promise<AddressInfo>; close(): Promise<void> };
const S3rver = createRequire(import.meta.url)("s3rver") as new (options: object) => S3rver;

/** The only account that it knows. It does not check signatures of version 4. */
export const ACCOUNT = { keyId: "S3RVER", secret: "S3RVER" };

export type TestBucket = { url: string; close(): Promise<void> };

export async function bucketIn(directory: string): Promise<TestBucket> {
  const server = new S3rver({
    ...{ address: "127.0.0.1", port: 0, silent: true, directory },
    configureBuckets: [{ name: "meters", configs: [] }],
  });
  const { port } = await server.run();
  return { url: `http://127.0.0.1:${port}/meters`, close: () => server.close() };
}
