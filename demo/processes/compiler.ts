/**
 * Compiles what the demo deploys, and nothing else, in pieces of which each is kept once it is ready. It is a process of
 * its own, so that the whole can be ended in the middle; it sends a Progress for each piece.
 */
import { availableParallelism } from "node:os";
import hre from "hardhat";

/** `ready` of the pieces are compiled. The first tells how many already were. */
export type Progress = { ready: number; of: number };

const ours = (...names: string[]) => names.map((name) => `${hre.config.paths.root}/contracts/${name}.sol`);

/** In this order two of them at a time end together, and the first is ready soon. */
const PIECES = [
  ours("WattWitness"),
  ours("FunctionsAttestor"),
  hre.config.solidity.npmFilesToBuild.map((file) => `npm:${file}`),
  ours("MeterRegistry"),
  ours("Authority", "Lens", "MeterDescriptor"),
];

const build = hre.tasks.getTask("build");

/** Hardhat reads what it has compiled when it begins and writes it when it ends: beside another runs the compiler only. */
let busy: Promise<void> = Promise.resolve();
let release = () => {};

async function acquire(): Promise<void> {
  const before = busy;
  let free = () => {};
  busy = new Promise((resolve) => {
    free = resolve;
  });
  await before;
  release = free;
}

hre.hooks.registerHandlers("solidity", {
  async invokeSolc(context, compiler, input, config, next) {
    release();
    try {
      return await next(context, compiler, input, config);
    } finally {
      await acquire();
    }
  },
});

const left = await piecesToCompile();
let ready = PIECES.length - left.length;
const tell = () => process.send?.({ ready, of: PIECES.length } satisfies Progress);
tell();
await Promise.all(Array.from({ length: availableParallelism() }, work));
process.disconnect?.();

async function work(): Promise<void> {
  for (let files = left.shift(); files; files = left.shift()) {
    await acquire();
    try {
      await build.run({ files, quiet: true, noTests: true });
    } finally {
      release();
    }
    ready += 1;
    tell();
  }
}

/** Those of which a file has changed since it was compiled, or never was. */
async function piecesToCompile(): Promise<string[][]> {
  const found = await hre.solidity.getCompilationJobs(PIECES.flat(), { quiet: true });
  if (!found.success) throw new Error(found.formattedReason);
  return PIECES.filter((files) => files.some((file) => found.compilationJobsPerFile.has(file)));
}
