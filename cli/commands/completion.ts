/** `wattwitness completion`: what a shell needs to complete commands and options, made from the commands themselves. */
import { Argument, Command } from "commander";
import type { GlobalOptions } from "../command.ts";
import { telling } from "../command.ts";
import type { Answer } from "../terminal/telling.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

export function completionCommand(): Command {
  const command = new Command("completion");
  return command
    .description("what completes commands and options in your shell")
    .addArgument(new Argument("<shell>", "which").choices(SHELLS))
    .addHelpText(
      "after",
      `
Examples:
  $ source <(wattwitness completion bash)                                     for this shell
  $ wattwitness completion fish > ~/.config/fish/completions/wattwitness.fish for every one`,
    )
    .action(telling((shell: Shell, _options: GlobalOptions) => completionFor(shell, command.parent as Command)));
}

async function completionFor(shell: Shell, program: Command): Promise<Answer> {
  const words = wordsOf(program);
  const text = shell === "fish" ? fish(words) : bash(words, shell === "zsh");
  return { text, data: { shell, script: text } };
}

/** What may come after each command, by its path: "", "meter", "meter list". */
type Words = Map<string, string[]>;

function wordsOf(command: Command, path: string[] = [], words: Words = new Map()): Words {
  const options = command.options.map(({ long }) => long as string);
  words.set(path.join(" "), [...command.commands.map((each) => each.name()), ...options, "--help"]);
  for (const each of command.commands) wordsOf(each, [...path, each.name()], words);
  return words;
}

function bash(words: Words, isZsh: boolean): string {
  const cases = [...words].map(([path, next]) => `    "${path}") next="${next.join(" ")}" ;;`);
  return `${isZsh ? "autoload -U +X bashcompinit && bashcompinit\n" : ""}_wattwitness() {
  local path="" next="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) [[ " ${[...words.keys()].map((path) => path.replaceAll(" ", "_")).join(" ")} " == *" \${path:+\${path}_}$word "* ]] && path="\${path:+\${path}_}$word" ;; esac
  done
  case "\${path//_/ }" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$next" -- "\${COMP_WORDS[COMP_CWORD]}"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _wattwitness wattwitness`;
}

function fish(words: Words): string {
  const lines = [...words].flatMap(([path, next]) => {
    const seen = path === "" ? [] : path.split(" ");
    const others = next.filter((word) => !word.startsWith("--"));
    const conditions = [
      ...seen.map((word) => `__fish_seen_subcommand_from ${word}`),
      ...(others.length > 0 ? [`not __fish_seen_subcommand_from ${others.join(" ")}`] : []),
    ];
    return next.map((word) => {
      const what = word.startsWith("--") ? `-l ${word.slice(2)}` : `-f -a ${word}`;
      return `complete -c wattwitness -n '${conditions.join("; and ") || "true"}' ${what}`;
    });
  });
  return lines.join("\n");
}
