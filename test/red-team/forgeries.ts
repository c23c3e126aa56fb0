/** All forgeries, in the order of their files' names. */
import { readdir } from "node:fs/promises";
import type { Forgery } from "./frame.ts";

const FOLDER = new URL("forgeries/", import.meta.url);

export type Numbered = { number: number; file: string; forgery: Forgery };

export async function readForgeries(): Promise<Numbered[]> {
  const files = (await readdir(FOLDER)).filter((name) => /^\d\d-.+\.ts$/.test(name)).sort();
  return Promise.all(
    files.map(async (file) => {
      const { forgery } = (await import(new URL(file, FOLDER).href)) as { forgery: Forgery };
      return { number: Number(file.slice(0, 2)), file, forgery };
    }),
  );
}
