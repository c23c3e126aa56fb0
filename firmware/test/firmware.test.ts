/**
 * Runs the tests in C as they are, each a test here: on this machine under AddressSanitizer and UndefinedBehaviorSanitizer,
 * and compiled for rv32imc, the instruction set of an ESP32-C3, in QEMU. Then the fuzzers, for a bounded time.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BUILDS, type Build, build, FOR_TESTS, type Need, whyNoToolchain } from "../toolchain.ts";

const FOLDER = fileURLToPath(new URL("..", import.meta.url));
/** ms: building, and the slowest program, with power cuts at every byte of a day */
const PATIENCE = 600_000;
/** s that each fuzzer runs */
const FUZZING = process.env["WATTWITNESS_FUZZ"] === "ci" ? 12 : 3;
/** Programs at a time. */
const WORKERS = 2;

type Program = { name: string; command: string[] };
type Output = { code: number | null; text: string };
/** What each test of a program said, by its title. */
type Results = Map<string, { ok: boolean; told: string }>;

const names = (folder: string, ending: string): string[] =>
  readdirSync(join(FOLDER, folder))
    .filter((file) => file.endsWith(ending))
    .map((file) => file.slice(0, -ending.length))
    .sort();

function titlesOf(program: string): string[] {
  const source = readFileSync(join(FOLDER, "test", `${program}.test.c`), "utf8");
  return [...source.matchAll(/^TEST\("((?:[^"\\]|\\.)*)"\)/gm)].map(([, title]) => JSON.parse(`"${title}"`));
}

function runProgram(command: readonly string[], patience = PATIENCE): Promise<Output> {
  const [file, ...args] = command as [string, ...string[]];
  return new Promise((resolve) => {
    execFile(file, args, { timeout: patience, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      // what runs in QEMU prints to standard error
      resolve({ code: error ? (typeof error.code === "number" ? error.code : null) : 0, text: `${stdout}${stderr}` });
    });
  });
}

/** How CTest would run each: bare, or in an emulator. */
async function programsIn(folder: string): Promise<Program[]> {
  const { text } = await runProgram(["ctest", "--test-dir", folder, "--show-only=json-v1"]);
  return (JSON.parse(text) as { tests: Program[] }).tests;
}

/** Understands TAP (testanything.org): remarks come before the test that they are about. */
function resultsOf(text: string): Results {
  const results: Results = new Map();
  let told: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const test = /^(not )?ok \d+ - (.*)$/.exec(line);
    if (!test) {
      told.push(line);
      continue;
    }
    results.set(test[2] as string, { ok: !test[1], told: told.join("\n") });
    told = [];
  }
  return results;
}

async function runAll(folder: string): Promise<Map<string, Output>> {
  const outputs = new Map<string, Output>();
  const waiting = await programsIn(folder);
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      outputs.set(next.name, await runProgram(next.command));
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  return outputs;
}

/** As describe, with one line in the place of everything where something is missing. */
function describeWith(needs: readonly Need[], title: string, tests: () => void): void {
  const why = whyNoToolchain(needs);
  describe(title, function () {
    this.timeout(PATIENCE);
    if (why) it.skip(why);
    else tests();
  });
}

function describeBuild(title: string, how: Build, needs: readonly Need[]): void {
  describeWith(needs, title, () => {
    let outputs: Map<string, Output>;

    before(async () => {
      outputs = await runAll(await build(how));
    });

    for (const name of names("test", ".test.c")) {
      describe(name, () => {
        let results: Results;
        before(() => {
          results = resultsOf(outputs.get(name)?.text ?? "");
        });
        for (const title of titlesOf(name)) {
          it(title, () => {
            const result = results.get(title);
            assert.ok(result, `it was not run to its end:\n${outputs.get(name)?.text.slice(-4000)}`);
            assert.ok(result.ok, result.told);
          });
        }
        it("ends well", () => {
          const output = outputs.get(name);
          assert.equal(output?.code, 0, output?.text.slice(-4000));
        });
      });
    }
  });
}

describeBuild("firmware, with sanitizers", BUILDS.sanitized, FOR_TESTS.sanitized);
describeBuild("firmware, on rv32imc", BUILDS.rv32imc, FOR_TESTS.rv32imc);

describeWith(FOR_TESTS.fuzz, "firmware, fuzzed", () => {
  let folder: string;
  let scratch: string;

  before(async () => {
    folder = await build(
      BUILDS.fuzz,
      names("fuzz", ".fuzz.c").map((name) => `fuzz_${name}`),
    );
    scratch = mkdtempSync(join(tmpdir(), "wattwitness-fuzz-"));
  });
  after(() => {
    if (scratch) rmSync(scratch, { recursive: true });
  });

  for (const name of names("fuzz", ".fuzz.c")) {
    it(`finds nothing in ${name} within ${FUZZING} s, from the corpus on`, async () => {
      const found = mkdtempSync(join(scratch, `${name}-`));
      const options = [`-max_total_time=${FUZZING}`, "-max_len=4096", `-artifact_prefix=${found}/`];
      const corpus = join(FOLDER, "fuzz", "corpus", name);
      const { code, text } = await runProgram([join(folder, `fuzz_${name}`), ...options, found, corpus]);
      assert.equal(code, 0, text.slice(-4000));
      assert.match(text, /Done \d+ runs/);
    });
  }
});

describeWith(["compiler", "clangFormat"], "firmware, as text", () => {
  it("does not compile where a result is ignored", async () => {
    const folder = mkdtempSync(join(tmpdir(), "wattwitness-ignored-"));
    const compile = (statement: string): Promise<Output> => {
      const file = join(folder, "ignored.c");
      writeFileSync(
        file,
        `#include "queue.h"\nvoid f(struct ww_queue *queue);\nvoid f(struct ww_queue *queue) { ${statement} }\n`,
      );
      return runProgram(["cc", "-std=c11", "-Werror", "-I", join(FOLDER, "core"), "-c", file, "-o", join(folder, "o")]);
    };
    try {
      assert.equal((await compile("if (ww_queue_acknowledge(queue, 1) != WW_OK) { return; }")).code, 0);
      const { code, text } = await compile("ww_queue_acknowledge(queue, 1);");
      assert.notEqual(code, 0);
      assert.match(text, /unused.result/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("is formatted as .clang-format says", async () => {
    const files = ["core", "chip", "provisioning", "pc", "board", "soak", "test", "fuzz"].flatMap((folder) =>
      readdirSync(join(FOLDER, folder), { recursive: true, encoding: "utf8" })
        .filter((file) => /\.[ch]$/.test(file))
        .map((file) => join(FOLDER, folder, file)),
    );
    const { code, text } = await runProgram(["clang-format", "--dry-run", "-Werror", ...files]);
    assert.equal(code, 0, text.slice(0, 4000));
  });
});
