import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BuildProblem, manifestOf, readImage } from "../board/image.ts";

const PROGRAM = fileURLToPath(new URL("../board/image.ts", import.meta.url));

/** An image as ESP-IDF makes it, as far as its head: the program's has a description with a version. */
function imageFor(chipId: number, version?: string): Buffer {
  const bytes = Buffer.alloc(256);
  bytes[0] = 0xe9;
  bytes.writeUInt16LE(chipId, 12);
  if (version !== undefined) {
    bytes.writeUInt32LE(0xabcd5432, 0x20);
    bytes.write(version, 0x30);
  }
  return bytes;
}

type Build = {
  chip?: string;
  chipId?: number;
  version?: string;
  bootloaderAt?: string;
  config?: Record<string, unknown>;
  files?: Record<string, string>;
  program?: Buffer;
};

describe("the image that a page flashes", () => {
  let scratch: string;

  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), "wattwitness-image-"));
  });
  afterEach(() => rmSync(scratch, { recursive: true }));

  /** A build folder with what of one is looked at. */
  function write(name: string, build: Build = {}): string {
    const { chip = "esp32c3", chipId = 5, version = "1.2.3", bootloaderAt = "0x0" } = build;
    const folder = join(scratch, name);
    const files = {
      [bootloaderAt]: "bootloader/bootloader.bin",
      "0xf000": "partition_table/partition-table.bin",
      "0x16000": "ota_data_initial.bin",
      "0x20000": "wattwitness.bin",
      ...build.files,
    };
    const put = (file: string, bytes: Buffer | string) => {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), bytes);
    };
    put("flasher_args.json", JSON.stringify({ flash_files: files, extra_esptool_args: { chip } }));
    put("config/sdkconfig.json", JSON.stringify(build.config ?? { SECURE_BOOT: false }));
    put("bootloader/bootloader.bin", imageFor(chipId));
    put("partition_table/partition-table.bin", Buffer.alloc(32, 0xaa));
    put("ota_data_initial.bin", Buffer.alloc(0x2000, 0xff));
    put("wattwitness.bin", build.program ?? imageFor(chipId, version));
    return folder;
  }

  const refuses = (folder: string, why: RegExp) =>
    assert.rejects(readImage(folder), (error) => error instanceof BuildProblem && why.test(error.message));

  it("refuses a folder that is no build", () => refuses(scratch, /idf\.py build/));

  it("refuses a release build, which burns fuses", async () => {
    await refuses(write("boot", { config: { SECURE_BOOT: true } }), /burns fuses/);
    await refuses(write("encrypted", { config: { SECURE_FLASH_ENC_ENABLED: true } }), /burns fuses/);
  });

  it("refuses a chip that it does not know, and an image for another than it says", async () => {
    await refuses(write("s3", { chip: "esp32s3", chipId: 9 }), /is for esp32s3/);
    await refuses(write("mixed", { chip: "esp32c3", chipId: 0 }), /another chip/);
  });

  it("refuses parts that overlap, and a build without a program", async () => {
    await refuses(write("overlap", { files: { "0xf010": "ota_data_initial.bin" } }), /begins before/);
    await refuses(write("empty", { program: imageFor(5) }), /no program/);
  });

  it("refuses builds of two versions, and two of one chip", async () => {
    const one = await readImage(write("one"));
    const newer = await readImage(write("newer", { version: "1.2.4" }));
    assert.throws(() => manifestOf([one, newer]), /1\.2\.3, 1\.2\.4/);
    assert.throws(() => manifestOf([one, one]), /same chip/);
  });

  it("has each part at its place, and nothing between them", async () => {
    const { bytes, version, family } = await readImage(
      write("esp32", { chip: "esp32", chipId: 0, bootloaderAt: "0x1000" }),
    );
    assert.deepEqual({ version, family, length: bytes.length }, { version: "1.2.3", family: "ESP32", length: 0x20100 });
    assert.ok(bytes.subarray(0, 0x1000).every((byte) => byte === 0xff));
    assert.deepEqual(bytes.subarray(0x1000, 0x1100), imageFor(0));
    assert.ok(bytes.subarray(0x1100, 0xf000).every((byte) => byte === 0xff));
    assert.ok(bytes.subarray(0xf000, 0xf020).every((byte) => byte === 0xaa));
    assert.ok(bytes.subarray(0xf020, 0x20000).every((byte) => byte === 0xff));
    assert.deepEqual(bytes.subarray(0x20000), imageFor(0, "1.2.3"));
  });

  it("lies beside the manifest that names it for each chip", () => {
    const out = join(scratch, "out");
    const builds = [write("esp32", { chip: "esp32", chipId: 0, bootloaderAt: "0x1000" }), write("esp32c3")];
    const { status, stderr } = spawnSync(process.execPath, [PROGRAM, "--out", out, ...builds], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    assert.deepEqual(JSON.parse(readFileSync(join(out, "manifest.json"), "utf8")), {
      name: "WattWitness",
      version: "1.2.3",
      new_install_prompt_erase: true,
      new_install_improv_wait_time: 15,
      builds: [
        { chipFamily: "ESP32", parts: [{ path: "wattwitness-esp32.bin", offset: 0 }] },
        { chipFamily: "ESP32-C3", parts: [{ path: "wattwitness-esp32c3.bin", offset: 0 }] },
      ],
    });
    assert.equal(readFileSync(join(out, "wattwitness-esp32.bin")).length, 0x20100);
    const failed = spawnSync(process.execPath, [PROGRAM, "--out", out, scratch], { encoding: "utf8" });
    assert.equal(failed.status, 1);
    assert.match(failed.stderr, /^[^\n]*idf\.py build[^\n]*\n$/);
  });
});
