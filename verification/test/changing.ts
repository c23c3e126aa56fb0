/** What a liar can change of an answer: every value in it, by its path. */
import type { Served } from "./world.ts";

export type Path = readonly (string | number)[];

/** The paths of everything that is no object or list. */
export function pathsOf(json: unknown, path: Path = []): Path[] {
  if (typeof json !== "object" || json === null) return [path];
  return Object.entries(json).flatMap(([name, value]) =>
    pathsOf(value, [...path, Array.isArray(json) ? Number(name) : name]),
  );
}

export const nameOf = (path: Path): string => path.map((part) => (typeof part === "number" ? "#" : part)).join(".");

type Parent = { [name: string | number]: unknown };

/** A copy in which the value at a path is what `change` makes of it; undefined takes it out. */
export function changed(served: Served, path: Path, change: (value: unknown) => unknown): Served {
  const copy = structuredClone(served);
  const last = path.at(-1) as string;
  const parent = path.slice(0, -1).reduce((at: Parent, part) => at[part] as Parent, copy as Parent);
  const value = change(parent[last]);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}

/** Other values of the same form. */
export function othersThan(value: unknown): unknown[] {
  if (typeof value === "number") return value > 0 ? [value + 1, value - 1] : [value + 1];
  if (typeof value === "boolean") return [!value];
  if (value === null) return [`0x${"17".repeat(20)}`];
  const text = value as string;
  if (!text.startsWith("0x")) return [(BigInt(text) + 1n).toString(), "0"];
  const digits = text.slice(2);
  return [0, Math.floor(digits.length / 2), digits.length - 1].map(
    (at) =>
      `0x${digits.slice(0, at)}${(Number.parseInt(digits[at] as string, 16) ^ 1).toString(16)}${digits.slice(at + 1)}`,
  );
}
