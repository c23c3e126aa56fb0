/** Publishes into a bucket of an S3-compatible store. */
import { createHash } from "node:crypto";
import { AwsClient } from "aws4fetch";
import type { Outlet } from "./outlet.ts";
import { whyNotFetched } from "./urls.ts";

const TIMEOUT = 30_000; // ms
const FOREVER = "public, max-age=31536000, immutable";
const BRIEFLY = "public, max-age=5";

export type Bucket = {
  /** of the bucket, and of a folder in it if any */
  url: string;
  keyId: string;
  secret: string;
  /** guessed from the URL where it is not told */
  region?: string;
};

export function s3Outlet(name: string, { url, keyId, secret, region }: Bucket): Outlet {
  // what failed is tried again by whoever publishes
  const client = new AwsClient({
    ...{ accessKeyId: keyId, secretAccessKey: secret, service: "s3", retries: 0 },
    ...(region !== undefined && { region }),
  });
  const base = url.endsWith("/") ? url : `${url}/`;

  async function ask(path: string, init: RequestInit): Promise<Response> {
    try {
      return await client.fetch(base + path, { ...init, signal: AbortSignal.timeout(TIMEOUT) });
    } catch (error) {
      throw new Error(whyNotFetched(error));
    }
  }

  return {
    name,
    async put({ path, bytes, changes }) {
      const response = await ask(path, {
        method: "PUT",
        body: new Uint8Array(bytes),
        headers: {
          "content-type": changes ? "text/plain; charset=utf-8" : "application/octet-stream",
          "cache-control": changes ? BRIEFLY : FOREVER,
          "x-amz-content-sha256": createHash("sha256").update(bytes).digest("hex"),
        },
      });
      if (!response.ok) throw new Error(await refusalIn(response));
      await response.arrayBuffer();
    },
    async get(path) {
      const response = await ask(path, { method: "GET" });
      if (response.ok) return new Uint8Array(await response.arrayBuffer());
      const refusal = await refusalIn(response);
      if (response.status === 404) return undefined;
      throw new Error(refusal);
    },
  };
}

/** With S3's own word for it, as in `403 SignatureDoesNotMatch`. */
async function refusalIn(response: Response): Promise<string> {
  const code = /<Code>(\w+)<\/Code>/.exec(await response.text().catch(() => ""))?.[1];
  return `it answers ${response.status}${code === undefined ? "" : ` ${code}`}`;
}
