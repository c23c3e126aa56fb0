/**
 * Makes of ESP-IDF's build folders what a page in a browser flashes: an image for each chip, all of its parts in one, and
 * the manifest that ESP Web Tools reads.
 *
 *   node firmware/board/image.ts --out FOLDER BUILD_FOLDER…
 *
 * Such an image has no settings in it, and takes away those that a board had. Of a release build it makes none: what
 * burns fuses at its first start is flashed by who has read why, and not by a click.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";

const NAME = "WattWitness";
/** By ESP-IDF's name: what ESP Web Tools calls it, and the number in its images. */
const CHIPS: Record<string, { family: string; id: number }> = {
  esp32: { family: "ESP32", id: 0 },
  esp32c3: { family: "ESP32-C3", id: 5 },
};
/** Of esp_image_header_t and, behind it and the first segment's header, esp_app_desc_t. */
const IMAGE_MAGIC = 0xe9;
const CHIP_ID_OFFSET = 12;
const DESCRIPTION_OFFSET = 0x20;
const DESCRIPTION_MAGIC = 0xabcd5432;
const VERSION = { offset: DESCRIPTION_OFFSET + 16, length: 32 };
const BLANK = 0xff;
/** s that the page waits for a board it has flashed to speak Improv. */
const IMPROV_PATIENCE = 15;

export type Image = { chip: string; family: string; version: string; bytes: Buffer };

type Part = { offset: number; file: string; bytes: Buffer };

/** What is wrong with a build, for a person. */
export class BuildProblem extends Error {}

async function readJson<T>(file: string): Promise<T> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as T;
  } catch {
    throw new BuildProblem(`${file} cannot be read: is it a folder that idf.py build has made?`);
  }
}

async function readParts(folder: string, files: Record<string, string>): Promise<Part[]> {
  const parts = Object.entries(files).map(async ([offset, file]) => ({
    offset: Number(offset),
    file,
    bytes: await readFile(join(folder, file)),
  }));
  return (await Promise.all(parts)).sort((one, other) => one.offset - other.offset);
}

function checkPlaces(folder: string, parts: readonly Part[]): void {
  let end = 0;
  for (const { offset, file, bytes } of parts) {
    if (offset < end) throw new BuildProblem(`${folder}: ${file} begins before the part before it ends`);
    end = offset + bytes.length;
  }
}

/** The version in the part that is the program: the one with a description. */
function versionOf(folder: string, parts: readonly Part[], id: number): string {
  const images = parts.filter(
    ({ bytes }) => bytes[0] === IMAGE_MAGIC && bytes.length > VERSION.offset + VERSION.length,
  );
  const other = images.find(({ bytes }) => bytes.readUInt16LE(CHIP_ID_OFFSET) !== id);
  if (other) throw new BuildProblem(`${folder}: ${other.file} is an image for another chip`);
  const program = images.find(({ bytes }) => bytes.readUInt32LE(DESCRIPTION_OFFSET) === DESCRIPTION_MAGIC);
  if (!program) throw new BuildProblem(`${folder} has no program in it`);
  const text = program.bytes.toString("utf8", VERSION.offset, VERSION.offset + VERSION.length);
  return text.slice(0, text.indexOf("\0"));
}

/** One image of all parts, from the beginning of the flash on. */
export async function readImage(folder: string): Promise<Image> {
  const flasher = await readJson<{ flash_files: Record<string, string>; extra_esptool_args: { chip: string } }>(
    join(folder, "flasher_args.json"),
  );
  const config = await readJson<Record<string, unknown>>(join(folder, "config/sdkconfig.json"));
  if (config["SECURE_BOOT"] || config["SECURE_FLASH_ENC_ENABLED"]) {
    throw new BuildProblem(`${folder} is a release build, which burns fuses: it is not for a page to flash`);
  }
  const chip = flasher.extra_esptool_args.chip;
  const known = CHIPS[chip];
  if (!known)
    throw new BuildProblem(`${folder} is for ${chip}, and there are only ${Object.keys(CHIPS).join(" and ")}`);
  const parts = await readParts(folder, flasher.flash_files);
  checkPlaces(folder, parts);
  const version = versionOf(folder, parts, known.id);
  const last = parts.at(-1) as Part;
  const bytes = Buffer.alloc(last.offset + last.bytes.length, BLANK);
  for (const part of parts) part.bytes.copy(bytes, part.offset);
  return { chip, family: known.family, version, bytes };
}

const fileOf = ({ chip }: Image): string => `wattwitness-${chip}.bin`;

/** What ESP Web Tools reads; the images lie beside it. */
export function manifestOf(images: readonly Image[]): object {
  const versions = new Set(images.map(({ version }) => version));
  const chips = new Set(images.map(({ chip }) => chip));
  if (versions.size !== 1) throw new BuildProblem(`the builds differ in their version: ${[...versions].join(", ")}`);
  if (chips.size !== images.length) throw new BuildProblem("two builds are for the same chip");
  return {
    name: NAME,
    version: images[0]?.version,
    new_install_prompt_erase: true,
    new_install_improv_wait_time: IMPROV_PATIENCE,
    builds: images.map((image) => ({ chipFamily: image.family, parts: [{ path: fileOf(image), offset: 0 }] })),
  };
}

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({ args, options: { out: { type: "string" } }, allowPositionals: true });
  if (!values.out || positionals.length === 0) {
    throw new BuildProblem("Usage: node firmware/board/image.ts --out FOLDER BUILD_FOLDER…");
  }
  const images = await Promise.all(positionals.map(readImage));
  const manifest = manifestOf(images);
  await mkdir(values.out, { recursive: true });
  for (const image of images) await writeFile(join(values.out, fileOf(image)), image.bytes);
  await writeFile(join(values.out, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}

if (import.meta.main) {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
