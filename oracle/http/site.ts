/**
 * Pages for people: a folder with an index.html, and assets/ whose names change with their content. They are held in
 * memory, plain and packed, so that what is served is what was there when the oracle started.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";

export type SiteFile = { type: string; bytes: Buffer; packed: Buffer; tag: string };
export type Site = { page: SiteFile; assets: ReadonlyMap<string, SiteFile> };

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/**
 * What the pages may do: run and look as their own files say, ask this oracle, and ask another oracle or a chain that the
 * visitor named in the address. Which ones those are is known in the browser only, where the page itself narrows it.
 */
export const SITE_POLICY = [
  ...[
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self' http: https:",
  ],
  ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
].join("; ");

/** Undefined where the folder holds no page. */
export async function readSite(folder: string): Promise<Site | undefined> {
  const page = await fileIn(join(folder, "index.html")).catch(() => undefined);
  if (!page) return undefined;
  const names = await readdir(join(folder, "assets"));
  const assets = await Promise.all(
    names.map(async (name) => [name, await fileIn(join(folder, "assets", name))] as const),
  );
  return { page, assets: new Map(assets) };
}

async function fileIn(path: string): Promise<SiteFile> {
  const bytes = await readFile(path);
  return {
    type: TYPES[extname(path)] ?? "application/octet-stream",
    ...{ bytes, packed: gzipSync(bytes, { level: 9 }) },
    tag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`,
  };
}
