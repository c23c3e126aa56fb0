/** What others reach of a node: its public URLs, as the DON fetches from them, and the subgraph. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../../../oracle/config.ts";
import { batchUrl, whyNotFetched, whyNotServed } from "../../../oracle/publishing/urls.ts";
import { type Finding, judged, skipped, well, wrong } from "./finding.ts";

/** ms; the DON waits 9 s */
const PATIENCE = 9000;
const REMEDY = "start what serves it, or mend its name, port forwarding or proxy";

export async function publicUrls({ attestation, publishing }: Config): Promise<Finding[]> {
  const urls = attestation?.publicUrls ?? publishing?.publicUrls ?? [];
  if (urls.length === 0) return [skipped("public URLs", "none: nobody has to fetch from this node")];
  const published = publishing?.directory === undefined ? undefined : await anyBatch(publishing.directory);
  return Promise.all(
    urls.map(async (url) => {
      const reason = published
        ? await whyNotServed(batchUrl(url, published.digest), published.bytes)
        : await whyNotReached(url);
      return judged("public URL", reason, `${url} ${published ? "serves what was published" : "answers"}`, REMEDY);
    }),
  );
}

/** A batch that was published: what everybody can fetch. */
async function anyBatch(folder: string): Promise<{ digest: string; bytes: Uint8Array } | undefined> {
  const [digest] = await readdir(join(folder, "batches")).catch(() => []);
  return digest === undefined ? undefined : { digest, bytes: await readFile(join(folder, "batches", digest)) };
}

/** That there is nothing at its root is an answer, too. */
async function whyNotReached(url: string): Promise<string | undefined> {
  try {
    const { status } = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
    return status >= 500 ? `${url} answers ${status}` : undefined;
  } catch (error) {
    return `${url} does not answer: ${whyNotFetched(error)}`;
  }
}

const QUERY = "{ _meta { block { number } hasIndexingErrors } }";
type Meta = { data?: { _meta?: { block: { number: number }; hasIndexingErrors: boolean } } };

/** Its URL is not repeated: many a subgraph's holds a key. */
export async function subgraph(url: string | undefined): Promise<Finding> {
  if (url === undefined) return skipped("subgraph", "is looked at where --subgraph says where it is");
  try {
    const response = await fetch(url, {
      ...{ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ query: QUERY }) },
      signal: AbortSignal.timeout(PATIENCE),
    });
    const meta = ((await response.json().catch(() => ({}))) as Meta).data?._meta;
    if (!meta) return wrong("subgraph", "what answers there is no subgraph", "name the URL that its queries go to");
    return meta.hasIndexingErrors
      ? wrong("subgraph", "it met an error, and may lack what came since", "look at the indexer's log; deploy it anew")
      : well("subgraph", `block ${meta.block.number}`);
  } catch (error) {
    return wrong("subgraph", `it does not answer: ${whyNotFetched(error)}`, "does its indexer run?");
  }
}
