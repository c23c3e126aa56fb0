/** The command line of `npm start`. */
import { parseArgs } from "node:util";

export const HELP = `WattWitness on one machine: a chain, a Chainlink Functions DON, an oracle and three meters.

  npm start                          a live view until Ctrl-C
  npm start -- --once                until every meter has settled twice, or the
                                     recording is over, then a table
  npm start -- --once --json         the same as one JSON object on the last line
  npm start -- --replay FILE.csv     recorded power or energy, as Home Assistant,
                                     a Shelly, PVGIS, pvoutput or a spreadsheet
                                     save it
  npm start -- --indexer             with the subgraph's indexer, graph-node (linux-x64)
  npm start -- --firmware            with the firmware, compiled for this machine, as the three devices

  --port N          port of the oracle (8000)
  --chain-port N    port of the chain's JSON-RPC (8545)
  --indexer-port N  port of the indexer's GraphQL (8010)
  --speed N         seconds that pass in one (600)
  --help            this text

In the live view: f forges a reading at the oracle, p proves one, d makes the DON's nodes lie, i says how to try the chain yourself, Ctrl-C ends everything.`;

export type Options = {
  once: boolean;
  json: boolean;
  replay: string | undefined;
  /** the devices are the firmware */
  firmware: boolean;
  port: number;
  chainPort: number;
  /** undefined = no indexer */
  indexerPort: number | undefined;
  speed: number;
};

/** Where things listen unless told. */
const PORTS = { port: 8000, "chain-port": 8545, "indexer-port": 8010 };

export type OptionsResult = { ok: true; options: Options | "help" } | { ok: false; problem: string };

export function parseOptions(args: readonly string[]): OptionsResult {
  let values: Record<string, string | boolean | undefined>;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        once: { type: "boolean" },
        json: { type: "boolean" },
        replay: { type: "string" },
        firmware: { type: "boolean" },
        port: { type: "string" },
        "chain-port": { type: "string" },
        indexer: { type: "boolean" },
        "indexer-port": { type: "string" },
        speed: { type: "string" },
        help: { type: "boolean" },
      },
    }));
  } catch (error) {
    return { ok: false, problem: `${(error as Error).message.split(". ")[0]}. --help lists the options.` };
  }
  if (values["help"]) return { ok: true, options: "help" };

  const ports = { ...PORTS };
  for (const option of Object.keys(PORTS) as (keyof typeof PORTS)[]) {
    const port = portOf(values[option] ?? String(PORTS[option]));
    if (port === undefined) return { ok: false, problem: `--${option} ${values[option]} is no port (0 to 65535).` };
    ports[option] = port;
  }
  const speed = Number(values["speed"] ?? 600);
  if (!(speed >= 1 && speed <= 3600)) return { ok: false, problem: `--speed ${values["speed"]} must be 1 to 3600.` };
  const json = values["json"] === true;
  if (json && !values["once"]) return { ok: false, problem: "--json goes with --once." };
  return {
    ok: true,
    options: {
      once: values["once"] === true,
      json,
      replay: values["replay"] as string | undefined,
      firmware: values["firmware"] === true,
      port: ports.port,
      chainPort: ports["chain-port"],
      indexerPort: values["indexer"] ? ports["indexer-port"] : undefined,
      speed,
    },
  };
}

const portOf = (text: unknown): number | undefined =>
  typeof text === "string" && /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
