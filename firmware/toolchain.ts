/** What builds and runs the firmware here, and what of it is missing. */
import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

const SOURCE = fileURLToPath(new URL(".", import.meta.url));
const FOLDER = fileURLToPath(new URL("../.wattwitness/firmware/", import.meta.url));

/** One way to build the firmware, in a folder of its own. */
export type Build = {
  name: string;
  /** of CMake */
  options: string[];
};

export const BUILDS = {
  /** the device as a program of this machine, and the soak */
  device: { name: "device", options: ["-DCMAKE_BUILD_TYPE=Release"] },
  /** on this machine, with every check that a compiler can put in */
  sanitized: { name: "sanitized", options: ["-DCMAKE_C_COMPILER=clang", "-DSANITIZE=ON"] },
  /** for the instruction set of an ESP32-C3 */
  rv32imc: {
    name: "rv32imc",
    options: [`-DCMAKE_TOOLCHAIN_FILE=${SOURCE}cmake/rv32imc.cmake`, "-DCMAKE_BUILD_TYPE=MinSizeRel"],
  },
  /** the device as a program of a Raspberry Pi */
  arm64: {
    name: "arm64",
    options: [`-DCMAKE_TOOLCHAIN_FILE=${SOURCE}cmake/arm64.cmake`, "-DCMAKE_BUILD_TYPE=Release"],
  },
  fuzz: { name: "fuzz", options: ["-DCMAKE_C_COMPILER=clang", "-DFUZZ=ON"] },
} satisfies Record<string, Build>;

/** What is needed, and the packages of Debian that have it. */
const NEEDS = {
  compiler: { name: "a C compiler", debian: "gcc" },
  cmake: { name: "CMake", debian: "cmake" },
  builder: { name: "make or Ninja", debian: "make" },
  mbedtls: { name: "Mbed TLS", debian: "libmbedtls-dev", header: "psa/crypto.h" },
  curl: { name: "libcurl", debian: "libcurl4-openssl-dev", header: "curl/curl.h" },
  clang: { name: "clang with its sanitizers", debian: "clang libclang-rt-14-dev" },
  clangFormat: { name: "clang-format", debian: "clang-format" },
  rv32imc: {
    name: "a compiler for RISC-V with picolibc",
    debian: "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf",
  },
  qemu: { name: "QEMU for RISC-V", debian: "qemu-system-misc" },
  arm64: { name: "a compiler for arm64", debian: "gcc-aarch64-linux-gnu libc6-dev-arm64-cross" },
  arm64Libraries: {
    name: "Mbed TLS and libcurl for arm64",
    debian: "libmbedtls-dev:arm64 libcurl4-openssl-dev:arm64 (after dpkg --add-architecture arm64)",
  },
  qemuUser: { name: "QEMU for programs of other machines", debian: "qemu-user" },
};
export type Need = keyof typeof NEEDS;

/** What the device on a PC needs. */
const FOR_DEVICE: readonly Need[] = ["compiler", "cmake", "builder", "mbedtls", "curl"];
/** What the tests need beyond it, by the way they are built. */
export const FOR_TESTS = {
  sanitized: ["cmake", "builder", "clang"],
  fuzz: ["cmake", "builder", "clang"],
  rv32imc: ["cmake", "builder", "rv32imc", "qemu"],
  arm64: ["cmake", "builder", "arm64", "arm64Libraries", "qemuUser"],
} satisfies Record<string, readonly Need[]>;

export type Machine = { platform: NodeJS.Platform; missing: readonly Need[] };

/** Why there can be no device on a PC, in one sentence; undefined = there can. */
export const whyNoFirmware = (machine: Machine = thisMachine(FOR_DEVICE)): string | undefined => whyNot(machine);

/** Why something cannot be done here that needs this; undefined = it can. */
export const whyNoToolchain = (needs: readonly Need[]): string | undefined => whyNot(thisMachine(needs));

function whyNot({ platform, missing }: Machine): string | undefined {
  if (platform === "win32") return "The firmware's program is for Linux and macOS (on Windows: in WSL).";
  if (missing.length === 0) return undefined;
  const names = missing.map((need) => NEEDS[need].name);
  const packages = missing.map((need) => NEEDS[need].debian).join(" ");
  const list = [names.slice(0, -1).join(", "), ...names.slice(-1)].filter(Boolean).join(" and ");
  return `The firmware cannot be built here without ${list} (on Debian: apt-get install ${packages}).`;
}

function thisMachine(needs: readonly Need[]): Machine {
  const compiler = [process.env["CC"], "cc", "gcc", "clang"].find((name) => name && runs(name));
  const isThere: Record<Need, () => boolean> = {
    compiler: () => compiler !== undefined,
    cmake: () => runs("cmake"),
    builder: () => runs("make") || runs("ninja"),
    mbedtls: () => compiler !== undefined && includes(compiler, NEEDS.mbedtls.header),
    curl: () => compiler !== undefined && includes(compiler, NEEDS.curl.header),
    clang: () => links("clang", ["-fsanitize=fuzzer-no-link,address,undefined"]),
    clangFormat: () => runs("clang-format"),
    rv32imc: () => includes("riscv64-unknown-elf-gcc", "picolibc.h", ["--specs=picolibc.specs"]),
    qemu: () => runs("qemu-system-riscv32"),
    arm64: () => runs("aarch64-linux-gnu-gcc"),
    arm64Libraries: () => links("aarch64-linux-gnu-gcc", ["-L/usr/lib/aarch64-linux-gnu", "-lmbedcrypto", "-lcurl"]),
    qemuUser: () => runs("qemu-aarch64"),
  };
  return { platform: process.platform, missing: needs.filter((need) => !isThere[need]()) };
}

const runs = (command: string): boolean => spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0;

const compiles = (compiler: string, options: string[], input: string): boolean =>
  spawnSync(compiler, [...options, "-x", "c", "-"], { input, stdio: ["pipe", "ignore", "ignore"] }).status === 0;

const includes = (compiler: string, header: string, options: string[] = []): boolean =>
  compiles(compiler, [...options, "-E"], `#include <${header}>\n`);

const links = (compiler: string, options: string[]): boolean =>
  compiles(compiler, [...options, "-o", "/dev/null"], "int main(void) { return 0; }\n");

/** Whether it was built before, so that building takes no time. */
export const isBuilt = ({ name }: Build): boolean => existsSync(join(FOLDER, name, "CMakeCache.txt"));

/** Builds where something changed, and resolves to the folder of what was built. Throws what the compiler says. */
export async function build(how: Build, targets: readonly string[] = []): Promise<string> {
  const folder = join(FOLDER, how.name);
  const generator = runs("ninja") ? ["-G", "Ninja"] : [];
  const configure = ["-S", SOURCE, "-B", folder, ...generator, ...how.options, `-DNODE=${process.execPath}`];
  await run("cmake", configure).catch(async () => {
    // CMake goes on with nothing that another generator, or a copy of this folder, left behind
    await rm(folder, { recursive: true, force: true });
    await cmake(configure);
  });
  await cmake(["--build", folder, "--parallel", "2", ...(targets.length > 0 ? ["--target", ...targets] : [])]);
  return folder;
}

async function cmake(args: string[]): Promise<void> {
  try {
    await run("cmake", args, { maxBuffer: 1 << 26 });
  } catch (error) {
    const { stdout, stderr, message } = error as Error & { stdout?: string; stderr?: string };
    const told = `${stdout ?? ""}${stderr ?? ""}`.trim() || message;
    throw new Error(`the firmware was not built:\n${told.split("\n").slice(-30).join("\n")}`);
  }
}
