/**
 * Builds the subgraph for a network of the table: `npm run subgraph:build -- --network NAME`. What it makes, build/NAME, is
 * not part of the repository: a manifest that any command of The Graph's CLI takes, and what graph-node runs.
 */
import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { isScalar, parseDocument, visit, type YAMLMap, type YAMLSeq } from "yaml";
import { LOCAL_NETWORK, NETWORKS_FILE, type Network, readNetworks, type Source } from "./networks.ts";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
/** Where The Graph's CLI is, and the compiler that it looks for. */
const BIN = fileURLToPath(new URL("../node_modules/.bin", import.meta.url));

const HELP = `Builds the subgraph.

  npm run subgraph:build -- --network NAME

  --network NAME        of the table (${LOCAL_NETWORK})
  --networks-file FILE  the table (subgraph/networks.json)
  --help                this text

It makes subgraph/build/NAME: a manifest that any command of The Graph's CLI takes, and beside it what graph-node runs.`;

/** Resolves to the manifest, beside which build/ has what graph-node runs. The contracts must be compiled. */
export async function buildSubgraph(name: string, network: Network): Promise<string> {
  const folder = join(FOLDER, "build", name);
  const manifest = join(folder, "subgraph.yaml");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(manifest, await manifestFor(name, network, folder));
  // of every source, also where a network lacks one: the program has all the handlers
  await graph("codegen", "subgraph.template.yaml", "--output-dir", join(FOLDER, "generated"));
  await graph("build", manifest, "--output-dir", join(folder, "build"));
  return manifest;
}

/** The template, for `folder`, with a network's name, addresses and start blocks. */
async function manifestFor(name: string, network: Network, folder: string): Promise<string> {
  const document = parseDocument(await readFile(join(FOLDER, "subgraph.template.yaml"), "utf8"));
  document.commentBefore = ` subgraph.template.yaml for ${name}: made by npm run subgraph:build`;
  visit(document, {
    Pair(_, { key, value }) {
      if (isScalar(key) && key.value === "file" && isScalar<string>(value)) {
        value.value = relative(folder, join(FOLDER, value.value));
      }
    },
  });
  const sources = document.get("dataSources") as YAMLSeq<YAMLMap>;
  const placeOf = (source: YAMLMap) => network[source.get("name") as keyof Network];
  sources.items = sources.items.filter(placeOf);
  for (const source of sources.items) {
    const { address, startBlock } = placeOf(source) as Source;
    source.set("network", name);
    source.setIn(["source", "address"], address);
    source.setIn(["source", "startBlock"], startBlock);
  }
  return document.toString({ lineWidth: 0 });
}

async function graph(...args: string[]): Promise<void> {
  const env = { ...process.env, NO_COLOR: "1", PATH: `${BIN}${delimiter}${process.env["PATH"]}` };
  await promisify(execFile)(process.execPath, [join(BIN, "graph"), ...args], { cwd: FOLDER, env }).catch((error) => {
    // it tells every step, and at the end what is wrong
    const told = `${error.stdout}\n${error.stderr}`.split("\n").filter((line) => line.trim() && !/^\s*[-✔]/.test(line));
    throw new Error(`graph ${args[0]} failed:\n${told.slice(-15).join("\n")}`);
  });
}

function valuesOf(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        network: { type: "string", default: LOCAL_NETWORK },
        "networks-file": { type: "string", default: NETWORKS_FILE },
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    throw new Error(`${(error as Error).message.split(". ")[0]}. --help lists the options.`);
  }
}

async function main(): Promise<void> {
  const values = valuesOf(process.argv.slice(2));
  if (values.help) return console.log(HELP);
  const networks = readNetworks(values["networks-file"]);
  const network = networks.get(values.network);
  if (!network) {
    throw new Error(`There is no network ${values.network} in the table, but ${[...networks.keys()].join(", ")}.`);
  }
  const built = await buildSubgraph(values.network, network);
  console.log(`Built ${values.network}: ${built}`);
}

if (import.meta.main) {
  await main().catch((error) => {
    console.error((error as Error).message);
    process.exit(1);
  });
}
