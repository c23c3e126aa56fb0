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

  /** The answer with its body, or why there is none. */
  async function ask(path: string, init: RequestInit): Promise<{ status: number; body: Uint8Array } | string> {
    try {
      const response = await client.fetch(base + path, { ...init, signal: AbortSignal.timeout(TIMEOUT) });
      return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
    } catch (error) {
      return whyNotFetched(error);
    }
  }

  return {
    name,
    async put({ path, bytes, changes }) {
      const answer = await ask(path, {
        method: "PUT",
        body: new Uint8Array(bytes),
        headers: {
          "content-type": changes ? "text/plain; charset=utf-8" : "application/octet-stream",
          "cache-control": changes ? BRIEFLY : FOREVER,
          "x-amz-content-sha256": createHash("sha256").update(bytes).digest("hex"),
        },
      });
      if (typeof answer === "string") return answer;
      return answer.status === 200 ? undefined : refusalIn(answer);
    },
    async get(path) {
      const answer = await ask(path, { method: "GET" });
      if (typeof answer === "string") return { ok: false, reason: answer };
      if (answer.status === 200) return { ok: true, bytes: answer.body };
      return answer.status === 404 ? { ok: true, bytes: undefined } : { ok: false, reason: refusalIn(answer) };
    },
  };
}

/** With S3's own word for it, as in `403 SignatureDoesNotMatch`. */
function refusalIn({ status, body }: { status: number; body: Uint8Array }): string {
  const code = /<Code>(\w+)<\/Code>/.exec(Buffer.from(body).toString())?.[1];
  return `it answers ${status}${code === undefined ? "" : ` ${code}`}`;
}
