/** The questions of subgraph/README.md: each a heading, a query in GraphQL, and the answer that stands there. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

export const README = fileURLToPath(new URL("README.md", import.meta.url));

export type Question = {
  /** without its number */
  title: string;
  query: string;
  /** undefined = none stands there yet */
  answer: unknown;
};

const QUESTION = /^### \d+\. (.+)\n[^#]*?```graphql\n([^`]*)```\n(?:\n```json\n([^`]*)```\n)?/gm;

/** In their order. */
export async function readQuestions(): Promise<Question[]> {
  const text = await readFile(README, "utf8");
  return [...text.matchAll(QUESTION)].map(([, title, query, answer]) => ({
    title: title as string,
    query: query as string,
    answer: answer === undefined ? undefined : JSON.parse(answer),
  }));
}

/** The page, with these answers in the place of those that stand there. */
export function withAnswers(page: string, answers: readonly unknown[]): string {
  let next = 0;
  return page.replace(QUESTION, (part: string, _title: string, _query: string, answer: string | undefined) => {
    const question = answer === undefined ? part : part.slice(0, part.lastIndexOf("\n```json\n"));
    return `${question}\n\`\`\`json\n${layOut(answers[next++])}\n\`\`\`\n`;
  });
}

/** characters in a line of an answer */
const WIDTH = 118;

/** JSON for people: on one line where it fits. */
export function layOut(value: unknown, indent = ""): string {
  const line = JSON.stringify(value, null, 1).replace(/\n */g, " ");
  if (typeof value !== "object" || value === null || indent.length + line.length <= WIDTH) return line;
  const deeper = `${indent}  `;
  const parts = Array.isArray(value)
    ? value.map((item) => layOut(item, deeper))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${layOut(item, deeper)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return `${open}\n${parts.map((part) => deeper + part).join(",\n")}\n${indent}${close}`;
}
