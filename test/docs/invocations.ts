/** What a document has `wattwitness` do: every invocation in its blocks and in its text, held against the command line. */
import type { Command } from "commander";
import { createProgram } from "../../cli/program.ts";

/** A command begins a line, or comes after another. */
const BEGINS = String.raw`(?:^|[;&|(])[ \t]*(?:sudo (?:-E )?(?:-u \S+ )?)?`;
/** in a container of compose's the image's entrypoint is `wattwitness` itself */
const IN_BLOCK = new RegExp(
  `${BEGINS}(?:wattwitness|docker compose [^\\n]*\\brun [^\\n]*\\boracle) ([^\\n;&|)#]*)`,
  "gm",
);
/** `wattwitness …` in running text */
const IN_TEXT = /`wattwitness ([^`]+)`/g;

const found = (text: string, pattern: RegExp): string[][] =>
  [...text.replaceAll("\\\n", " ").matchAll(pattern)].map(([, args = ""]) => args.split(/\s+/).filter(Boolean));

export const invocationsInBlock = (text: string): string[][] => found(text, IN_BLOCK);
export const invocationsInText = (markdown: string): string[][] =>
  found(markdown.replace(/^```.*?^```$/gms, ""), IN_TEXT);

/** What of it the command line does not know, in half a sentence. Values are not looked at, and none need be given. */
export function whyUnknown(args: readonly string[]): string | undefined {
  let command: Command = createProgram();
  const above: Command[] = [];
  for (let i = 0; i < args.length; i++) {
    const word = args[i] as string;
    if (word.startsWith("-")) {
      const [name = ""] = word.split("=");
      const option = [command, ...above]
        .flatMap(({ options }) => options)
        .find(({ long, short }) => long === name || short === name);
      if (!option && !["--help", "-h"].includes(name)) return `${command.name()} has no option ${name}`;
      if (option?.required && !word.includes("=")) i += 1;
      continue;
    }
    if (command.commands.length === 0) continue;
    const below = command.commands.find((each) => each.name() === word || each.aliases().includes(word));
    if (!below) return `${command.name()} has no command ${word}`;
    above.push(command);
    command = below;
  }
  return undefined;
}
