/** A page as Markdown (CommonMark, with GitHub's tables). */
import { plain } from "./html.ts";
import type { Page, Part } from "./page.ts";

export const markdownOf = (page: Page): string => `${page.map(partOf).join("\n\n")}\n`;

function partOf(part: Part): string {
  switch (part.is) {
    case "title":
      return `# ${escaped(part.text)}`;
    case "heading":
      return `## ${escaped(part.text)}`;
    case "subheading":
      return `### ${escaped(part.text)}`;
    case "text":
      return escaped(part.text);
    case "verdict":
      return `**${escaped(part.text)}**`;
    case "facts":
      return [...row(["", ""]), ...part.facts.flatMap(rowOf)].join("\n");
    case "list":
      return part.items.map((item) => `- ${escaped(item)}`).join("\n");
    case "table":
      return [...row(part.head), ...part.rows.map(rowOf)].join("\n");
  }
}

const rowOf = (cells: readonly string[]): string => `| ${cells.map(escaped).join(" | ")} |`;

/** The head of a table, and the line below it. */
const row = (head: readonly string[]): string[] => [rowOf(head), `|${head.map(() => "---").join("|")}|`];

/** Every character that could mean something to Markdown or HTML says itself: no link, picture, code or element begins with it. */
const escaped = (said: string): string =>
  plain(said).replaceAll(/[\\`*_{}[\]<>()#!|~&@]|(?<=https?):|(?<=www)\.|^[-+=]|^\d+(?=[.)])/gi, (each) =>
    /^\d/.test(each) ? `&#${each.charCodeAt(0)};${each.slice(1)}` : `&#${each.charCodeAt(0)};`,
  );
