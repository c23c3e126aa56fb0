/** `npm start`: everything on one machine. Options and keys: `npm start -- --help`. */
import { whyNoFirmware } from "../firmware/toolchain.ts";
import { whyNoIndexer } from "./indexer/index.ts";
import { HELP, type Options, parseOptions } from "./options.ts";
import { isPortInUse } from "./processes/process.ts";
import { createEnding, createStops, endWithNpm } from "./processes/stop.ts";
import { wrap } from "./terminal/text.ts";
import { createWorld, firstLine, Problem, type World } from "./world.ts";

const parsed = parseOptions(process.argv.slice(2));
if (!parsed.ok) fail(parsed.problem);
if (parsed.options === "help") {
  console.log(wrap(HELP));
  process.exit(0);
}
const { options } = parsed;

const stops = createStops();
const ending = createEnding(stops, () => console.error("\nstopping everything"));
endWithNpm(ending);

try {
  await start(options);
} catch (error) {
  if (!ending.hasBegun()) {
    complain(error instanceof Problem ? error.message : `Something went wrong: ${firstLine(error)}`);
    if (!(error instanceof Problem)) console.error(error);
  }
  await ending.end(1);
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
  const whyNot = chosen.firmware ? whyNoFirmware() : undefined;
  if (whyNot) throw new Problem(`${whyNot} Everything else runs without --firmware.`);
  // the live view takes this over: what is written beside it would tear it
  const told = { problem: complain };
  const began = Date.now();
  const say = (stage: string) => {
    const seconds = ((Date.now() - began) / 1000).toFixed(1).padStart(5);
    if (chosen.json) complain(`${seconds} s  ${stage}`);
    else console.log(wrap(`${seconds} s  ${stage}`));
  };
  const world: World = await createWorld({ ...chosen, stops, say, complain: (problem) => told.problem(problem) });
  const { runOnce } = await import("./once.ts");
  const { runLive } = await import("./terminal/live.ts");
  if (!chosen.once) return runLive(world, { stops, end: ending.end, told });
  const complete = await runOnce(world, { json: chosen.json, say });
  await ending.end(complete ? 0 : 1);
}

function complain(problem: string): void {
  console.error(wrap(problem, process.stderr.columns || Number.POSITIVE_INFINITY));
}

function fail(problem: string): never {
  complain(problem);
  process.exit(1);
}
