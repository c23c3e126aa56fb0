/**
 * Writes a file that is made from code, or with `--check` compares it with what the code would make now
 * and exits 1 on a difference.
 */
import { readFile, writeFile } from "node:fs/promises";
import { relative } from "node:path";

export async function writeGenerated(file: URL, content: string, command: string): Promise<void> {
  const name = relative(process.cwd(), file.pathname);
  if (!process.argv.includes("--check")) {
    await writeFile(file, content);
    console.log(`wrote ${name}`);
    return;
  }
  const committed = await readFile(file, "utf8").catch(() => "");
  if (committed !== content) {
    console.error(`${name} is not what the code makes: run ${command} and commit the result`);
    process.exit(1);
  }
  console.log(`${name} is up to date`);
}
