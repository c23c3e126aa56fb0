/** `npm start`: everything on one machine. Options and keys: `npm start -- --help`. */
import { whyNoIndexer } from "./indexer/index.ts";
import { HELP, type Options, parseOptions } from "./options.ts";
import { isPortInUse } from "./process.ts";
import { createStops } from "./stop.ts";
import { createWorld, firstLine, Problem, type World } from "./world.ts";

const parsed = parseOptions(process.argv.slice(2));
if (!parsed.ok) fail(parsed.problem);
if (parsed.options === "help") {
  console.log(HELP);
  process.exit(0);
}
const { options } = parsed;

const stops = createStops();
let ending: Promise<void> | undefined;
/** Stops everything that was started, once, and ends with this code. */
function end(code: number): Promise<void> {
  ending ??= stops.stopAll().then(() => process.exit(code));
  return ending;
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (!ending) console.error("\nstopping everything");
    void end(signal === "SIGINT" ? 130 : 143);
  });
}

try {
  await start(options);
} catch (error) {
  if (!ending) {
    console.error(error instanceof Problem ? error.message : `Something went wrong: ${firstLine(error)}`);
    if (!(error instanceof Problem)) console.error(error);
  }
  await end(1);
}

async function start(chosen: Options): Promise<void> {
  for (const [what, port, option] of [
    ["oracle", chosen.port, "--port"],
    ["chain", chosen.chainPort, "--chain-port"],
    ["indexer", chosen.indexerPort, "--indexer-port"],
  ] as const) {
    if (port && (await isPortInUse(port))) {
      throw new Problem(
        `Port ${port} for the ${what} is in use: end what listens there, or choose another with ${option}.`,
      );
    }
  }
  const why = chosen.indexerPort === undefined ? undefined : whyNoIndexer();
  if (why) throw new Problem(`${why} Everything else runs without --indexer.`);
  const began = Date.now();
  const say = (stage: string) => {
    const seconds = ((Date.now() - began) / 1000).toFixed(1).padStart(5);
    if (!chosen.json) console.log(`${seconds} s  ${stage}`);
    else console.error(`${seconds} s  ${stage}`);
  };
  const world: World = await createWorld({ ...chosen, stops, say, complain: (problem) => console.error(problem) });
  const { runOnce } = await import("./once.ts");
  const { runLive } = await import("./live.ts");
  if (!chosen.once) return runLive(world, { stops, end });
  const complete = await runOnce(world, { json: chosen.json, say });
  await end(complete ? 0 : 1);
}

function fail(problem: string): never {
  console.error(problem);
  process.exit(1);
}
