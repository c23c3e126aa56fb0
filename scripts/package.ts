/**
 * Makes the package that others install, wattwitness-x.y.z.tgz: `npm run package`. It is the clone's files, compiled and in
 * the same folders, so that each finds the others. viem, of which little is used, comes along in one file; what else
 * running needs are dependencies, in the clone's versions.
 */
import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import ts from "typescript";
import { BUILT, buildDashboard, readBuilt } from "../dashboard/build.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** What programs import, by the subpath. */
const LIBRARY = {
  "./protocol": "protocol/index",
  "./verify": "verification/index",
  "./contracts": "contracts/index",
  "./meter": "meter/index",
};
/** What runs. Nothing imports all but the first: they are a process and threads of their own. */
const PROGRAMS = ["cli/main", "oracle/server", "oracle/accepting/verifying-thread", "auditor/evidence/thread"];

/** What others' contracts import. IFunctionsAttestor is missing: it needs all of Chainlink's contracts. */
const SOLIDITY = [
  ...["ILens", "IMeterDescriptor", "IMeterRegistry", "IProductionToken", "IWattWitness"].map(
    (name) => `interfaces/${name}`,
  ),
  ...["IHourlyCertificates", "IParkFactory", "IParkDescriptor", "ISolarPark", "IRestrictedPark", "IERC7943"].map(
    (name) => `interfaces/${name}`,
  ),
  ...["Basis", "Reading", "Statement"].map((name) => `libraries/${name}`),
].map((name) => `contracts/${name}.sol`);

/** Files that go along as they are. */
const COPIED = [
  "LICENSE",
  "oracle/README.md",
  "oracle/openapi.json",
  "subgraph/networks.json",
  "cli/chain/chains.json",
  ...SOLIDITY,
];

/** What `deploy` puts on a chain, and says of it. */
const DEPLOYED = [
  ...[
    "Authority",
    "MeterDescriptor",
    "MeterRegistry",
    "WattWitness",
    "ProductionToken",
    "Lens",
    "FunctionsAttestor",
  ].map((name) => `artifacts/contracts/${name}.sol/${name}.json`),
  ...["bench/gas.json", "functions-source/verify-batch.js"],
];

/** Taken from the project it is used in, where that has it. */
const NOT_INSTALLED = "hardhat";

const OPTIONS: ts.CompilerOptions = {
  ...{ target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.NodeNext, lib: ["lib.esnext.d.ts"], types: ["node"] },
  ...{ rootDir: ROOT, rewriteRelativeImportExtensions: true, resolveJsonModule: true, verbatimModuleSyntax: true },
  // `npm run types` checks them
  noCheck: true,
};

/** Makes it below `folder`, and returns the file. */
export async function makePackage(folder: string): Promise<string> {
  const staging = await mkdtemp(join(tmpdir(), "wattwitness-package-"));
  try {
    const emitted = [
      ...emit(PROGRAMS, { ...OPTIONS, outDir: staging }),
      ...emit(Object.values(LIBRARY), { ...OPTIONS, outDir: staging, declaration: true }),
    ];
    const vendored = await vendorViem(staging, emitted);
    for (const file of [...COPIED, ...DEPLOYED]) await cp(join(ROOT, file), join(staging, file));
    await cp(join(ROOT, "cli/package.md"), join(staging, "README.md"));
    const shown = await copyDashboard(join(staging, "dashboard/dist"));
    await writeFile(join(staging, "LICENSES"), await licencesOf([...vendored, ...shown]));
    await writeFile(join(staging, "package.json"), `${JSON.stringify(await manifest(emitted), null, 2)}\n`);
    const { stdout } = await promisify(execFile)("npm", ["pack", "--silent", "--pack-destination", folder], {
      cwd: staging,
    });
    return join(folder, stdout.trim());
  } finally {
    await rm(staging, { recursive: true });
  }
}

/** Compiles these files and all that they import; returns the texts. */
function emit(files: readonly string[], options: ts.CompilerOptions): string[] {
  const texts: string[] = [];
  const program = ts.createProgram(
    files.map((file) => join(ROOT, `${file}.ts`)),
    options,
  );
  program.emit(undefined, (path, text) => {
    texts.push(text);
    ts.sys.writeFile(path, path.endsWith(".js") ? text.replaceAll(/ from "viem(\/\w+)?"/g, ' from "#viem"') : text);
  });
  return texts;
}

/** One file with what is imported of viem; returns what it was made of. */
async function vendorViem(staging: string, emitted: readonly string[]): Promise<string[]> {
  const imports = emitted.flatMap((text) => [...text.matchAll(/import \{([^}]+)\} from "(viem(?:\/\w+)?)"/g)]);
  const exports = imports.flatMap(([, names = "", from]) =>
    (names.match(/\w+/g) ?? []).map((name) => `export { ${name} } from "${from}";`),
  );
  const { metafile } = await build({
    ...{ absWorkingDir: ROOT, stdin: { contents: [...new Set(exports)].join("\n"), resolveDir: ROOT } },
    ...{ outfile: join(staging, "vendor/viem.js"), metafile: true, logLevel: "silent" },
    ...{ bundle: true, format: "esm", platform: "node", target: "node22" },
    ...{ minifyWhitespace: true, minifySyntax: true, legalComments: "none" },
  });
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  return inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path);
}

/** Of all packages that are in a file of ours. */
async function licencesOf(paths: readonly string[]): Promise<string> {
  const folders = new Set(paths.flatMap((path) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []));
  const licences = new Set(await Promise.all([...folders].map(licenceIn)));
  return [...licences].sort().join("\n");
}

async function licenceIn(folder: string): Promise<string> {
  const { name, version } = JSON.parse(await readFile(join(ROOT, folder, "package.json"), "utf8"));
  const file = (await readdir(join(ROOT, folder))).find((each) => /^licen[cs]e/i.test(each));
  if (!file) throw new Error(`${name} has no licence`);
  return `${name} ${version}\n\n${await readFile(join(ROOT, folder, file), "utf8")}`;
}

/** Without the list of what it was built from, which is returned. */
async function copyDashboard(to: string): Promise<string[]> {
  const from = await buildDashboard();
  await cp(from, to, { recursive: true, filter: (path) => basename(path) !== BUILT });
  return Object.keys((await readBuilt()).inputs);
}

async function manifest(emitted: readonly string[]): Promise<object> {
  const { name, version, description, license, dependencies } = JSON.parse(
    await readFile(join(ROOT, "package.json"), "utf8"),
  );
  const specifiers = emitted.flatMap((text) => [...text.matchAll(/(?:from |import\()"(@?[a-z][^":]*)"/g)]);
  const used = new Set(specifiers.map(([, specifier = ""]) => /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] as string));
  for (const each of ["viem", NOT_INSTALLED]) used.delete(each);
  const installed = ["@openzeppelin/contracts", ...used].sort().map((each) => {
    if (!(each in dependencies)) throw new Error(`package.json has no dependency ${each}`);
    return [each, dependencies[each]];
  });
  return {
    ...{ name, version, description, license, type: "module", engines: { node: ">=22.15" } },
    bin: { wattwitness: "cli/main.js" },
    exports: {
      ...Object.fromEntries(Object.entries(LIBRARY).map(([subpath, file]) => [subpath, `./${file}.js`])),
      ...{ "./contracts/*.sol": "./contracts/*.sol", "./package.json": "./package.json" },
    },
    imports: { "#viem": "./vendor/viem.js" },
    ...{ sideEffects: false, dependencies: Object.fromEntries(installed) },
  };
}

if (import.meta.main) console.log(`wrote ${basename(await makePackage(process.cwd()))}`);
