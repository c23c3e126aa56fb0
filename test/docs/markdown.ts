/** What the tests need of a document in Markdown: its blocks for the shell, its fixtures, and what a link can lead to. */

export type Block = {
  /** of its first line in the document */
  line: number;
  text: string;
  /** marked `title=not-run`: read, and not run */
  isRun: boolean;
};

/** Fenced blocks of `sh`. */
export function shellBlocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```sh( title=not-run)?\n(.*?)^```$/gms)].map(({ 1: mark, 2: text = "", index }) => ({
    line: markdown.slice(0, index).split("\n").length + 1,
    text,
    isRun: mark === undefined,
  }));
}

export type Listing = { name: string; text: string };

/** Fenced blocks that say which file they are: `title=name`. */
export const listingsOf = (markdown: string): Listing[] =>
  [...markdown.matchAll(/^```(?:ts|solidity) title=(\S+)\n(.*?)^```$/gms)].map(([, name = "", text = ""]) => ({
    name,
    text,
  }));

/** Names in `<!-- run: … -->`, the first line, which no reader sees. */
export const fixturesOf = (markdown: string): string[] =>
  /^<!-- run: ([\w ]+) -->\n/.exec(markdown)?.[1]?.split(" ") ?? [];

/** The test of its own that runs it, where the first line says so: `<!-- run by … -->`. */
export const testOf = (markdown: string): string | undefined => /^<!-- run by (\S+) -->\n/.exec(markdown)?.[1];

/** What `#…` in a link may be: headings as GitHub names them, and anchors that the text sets itself. */
export function anchorsOf(markdown: string): string[] {
  const prose = markdown.replace(/^```.*?^```$/gms, "");
  const headings = [...prose.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\- _]/gu, "")
      .replaceAll(" ", "-"),
  );
  return [...headings, ...[...prose.matchAll(/<a id="([^"]+)">/g)].map(([, id = ""]) => id)];
}

/** Where its links lead: `[…](target)`. */
export const linksOf = (markdown: string): string[] =>
  [...markdown.replace(/^```.*?^```$/gms, "").matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
