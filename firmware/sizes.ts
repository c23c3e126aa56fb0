/**
 * What the portable firmware takes of an ESP32-C3 (rv32imc, -Os), against its budget: `npm run sizes:firmware`. Fails where
 * it is over. The stack is that of the deepest call from each entry down to the ports, by the compiler's own word
 * (-fcallgraph-info=su); what a port takes comes on top.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Table from "cli-table3";
import { BUILDS, build, FOR_TESTS, whyNoToolchain } from "./toolchain.ts";

const SOURCE = fileURLToPath(new URL(".", import.meta.url));

/** Bytes. An ESP32-C3 has 400 kB of RAM, of which Wi-Fi and TLS take most, and a task's stack is 8 kB here. */
const BUDGET = { text: 32_768, data: 0, bss: 0, device: 4096, stack: 6144 };

const ENTRIES = ["ww_device_start", "ww_device_step", "ww_shelly_parse", "ww_sml_parse", "ww_registration_make"];

/** How deep the JSON reader's functions call themselves at most: WW_JSON_DEPTH. */
const RECURSION = 16;

type Call = { stack: number; calls: Set<string> };

/** All functions of a build, with their own stack and what they call. */
function readCalls(folder: string): Map<string, Call> {
  const calls = new Map<string, Call>();
  const of = (name: string): Call => {
    const known = calls.get(name) ?? { stack: 0, calls: new Set() };
    calls.set(name, known);
    return known;
  };
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".ci"))) {
    const text = readFileSync(join(folder, file), "utf8");
    for (const [, name, label] of text.matchAll(/node: \{ title: "([^"]*)" label: "([^"]*)"/g)) {
      const bytes = /(\d+) bytes/.exec(label as string)?.[1];
      if (bytes) of(name as string).stack = Number(bytes);
    }
    for (const [, from, to] of text.matchAll(/edge: \{ sourcename: "([^"]*)" targetname: "([^"]*)"/g)) {
      of(from as string).calls.add(to as string);
    }
  }
  return calls;
}

/** Bytes of the deepest call below a function, its own included. */
function depthOf(calls: Map<string, Call>, name: string, above: readonly string[] = []): number {
  const call = calls.get(name);
  if (!call || above.includes(name)) return 0;
  const own = isRecursive(calls, name) ? RECURSION * call.stack : call.stack;
  return own + Math.max(0, ...[...call.calls].map((next) => depthOf(calls, next, [...above, name])));
}

function isRecursive(calls: Map<string, Call>, name: string): boolean {
  const seen = new Set<string>();
  const waiting = [...(calls.get(name)?.calls ?? [])];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next === name) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    waiting.push(...(calls.get(next)?.calls ?? []));
  }
  return false;
}

const run = (command: string, args: string[], input?: string): string =>
  execFileSync(command, args, { encoding: "utf8", ...(input !== undefined && { input }) });

async function main(): Promise<void> {
  const why = whyNoToolchain(FOR_TESTS.rv32imc);
  if (why) return console.log(why);
  const folder = await build(BUILDS.rv32imc, ["core"]);

  const size = (file: string, ...options: string[]): number[] => {
    const lines = run("riscv64-unknown-elf-size", [...options, file])
      .trim()
      .split("\n");
    return (lines.at(-1) as string).trim().split(/\s+/).slice(0, 3).map(Number);
  };
  const [text, data, bss] = size(join(folder, "libcore.a"), "--totals") as [number, number, number];
  const object = join(folder, "device-size.o");
  const flags = ["-march=rv32imc", "-mabi=ilp32", "--specs=picolibc.specs", "-I", join(SOURCE, "core")];
  const declaration = '#include "device.h"\nstruct ww_device device;\n';
  run("riscv64-unknown-elf-gcc", [...flags, "-x", "c", "-c", "-", "-o", object], declaration);
  const device = size(object)[2] as number;
  const calls = readCalls(join(folder, "CMakeFiles/core.dir/core"));
  const stacks = ENTRIES.map((entry) => ({ entry, bytes: depthOf(calls, entry) }));
  const stack = Math.max(...stacks.map(({ bytes }) => bytes));

  const style = { head: [], border: [] };
  const table = new Table({
    style,
    head: ["core on rv32imc, -Os", "bytes", "budget"],
    colAligns: ["left", "right", "right"],
  });
  const measured = { text, data, bss, device, stack };
  table.push(
    ["text", text, BUDGET.text],
    ["data", data, BUDGET.data],
    ["bss", bss, BUDGET.bss],
    ["struct ww_device", device, BUDGET.device],
    ...stacks.map(({ entry, bytes }) => [`stack of ${entry}`, bytes, BUDGET.stack]),
  );
  console.log(table.toString());
  const over = (Object.keys(BUDGET) as (keyof typeof BUDGET)[]).filter((what) => measured[what] > BUDGET[what]);
  if (text === 0 || stack === 0) throw new Error("nothing was measured");
  if (over.length > 0) throw new Error(`over the budget: ${over.join(", ")}`);
}

try {
  await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
