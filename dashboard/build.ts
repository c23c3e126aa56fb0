/**
 * Builds the dashboard into dist/: an index.html that names its files by their content, and those files. Nothing is done
 * where dist/ was built from what is there now, so it can be called before every start.
 *
 *   npm run dashboard:build
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const DIST = join(HERE, "dist");

/** What is read beside the sources that the bundle is of, relative to the root. */
const TEMPLATE = "dashboard/src/index.html";
const OWN = [TEMPLATE, "dashboard/build.ts"];

/** What the page may do; only the server can add that nobody may frame it. */
export const PAGE_POLICY = [
  ...[
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self' http: https:",
  ],
  ...["base-uri 'none'", "form-action 'none'"],
].join("; ");

/** What is kept beside the files: of what they were built, and what each loads. Paths are relative to the root, to dist/. */
export type Built = {
  /** SHA-256 of all that dist/ was built from */
  inputs: Record<string, string>;
  /** by file: its entry point in the sources, where it is one, and the files that it may load */
  outputs: Record<string, { entryPoint?: string; loads: string[] }>;
};
export const BUILT = "built.json";

export const readBuilt = async (): Promise<Built> => JSON.parse(await readFile(join(DIST, BUILT), "utf8"));

const digestOf = async (path: string): Promise<string> =>
  createHash("sha256")
    .update(await readFile(join(ROOT, path)))
    .digest("hex");

async function isFresh(): Promise<boolean> {
  try {
    const { inputs } = await readBuilt();
    const digests = await Promise.all(Object.keys(inputs).map(digestOf));
    return Object.values(inputs).every((digest, i) => digest === digests[i]);
  } catch {
    return false;
  }
}

/** Returns the folder that a server or a static host serves. */
export async function buildDashboard(): Promise<string> {
  if (!(await isFresh())) await build();
  return DIST;
}

async function build(): Promise<void> {
  const folder = `${DIST}-${process.pid}`;
  try {
    await fill(folder);
    await put(folder);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function fill(folder: string): Promise<void> {
  // a program of its own, and not needed where nothing has changed
  const esbuild = await import("esbuild");
  const { metafile, outputFiles } = await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: { main: "dashboard/src/main.tsx", icon: "dashboard/src/icon.svg" },
    outdir: join(folder, "assets"),
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    loader: { ".svg": "copy" },
    ...{ bundle: true, splitting: true, format: "esm", target: "es2022", minify: true, legalComments: "none" },
    ...{ jsx: "automatic", jsxImportSource: "preact", metafile: true, write: false, logLevel: "silent" },
  });
  await mkdir(join(folder, "assets"), { recursive: true });
  for (const { path, contents } of outputFiles) await writeFile(path, contents);
  const names = outputFiles.map(({ path }) => relative(folder, path));
  await writeFile(join(folder, "index.html"), pageOf(await readFile(join(ROOT, TEMPLATE), "utf8"), names));
  const paths = [...OWN, ...Object.keys(metafile.inputs)];
  const inputs = Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await digestOf(path)])));
  const inFolder = (path: string) => relative(folder, join(ROOT, path));
  const outputs = Object.fromEntries(
    Object.entries(metafile.outputs).map(([path, { entryPoint, imports, cssBundle }]) => {
      const loads = [...imports.map((each) => each.path), ...(cssBundle ? [cssBundle] : [])].map(inFolder);
      return [inFolder(path), { ...(entryPoint && { entryPoint }), loads }];
    }),
  );
  await writeFile(join(folder, BUILT), JSON.stringify({ inputs, outputs } satisfies Built, null, 1));
}

/** The template with the names of this build's files. */
function pageOf(template: string, names: readonly string[]): string {
  const nameOf = (pattern: RegExp) => names.find((name) => pattern.test(name)) ?? "";
  return template
    .replace("{policy}", PAGE_POLICY)
    .replace("{icon}", nameOf(/icon-.*\.svg$/))
    .replace("{style}", nameOf(/main-.*\.css$/))
    .replace("{script}", nameOf(/main-.*\.js$/));
}

async function put(folder: string): Promise<void> {
  await rm(DIST, { recursive: true, force: true });
  try {
    await rename(folder, DIST);
  } catch (error) {
    // somebody else was faster, with the same
    await rm(folder, { recursive: true, force: true });
    if (!(await isFresh())) throw error;
  }
}

if (import.meta.main) await buildDashboard();
