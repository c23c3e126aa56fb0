/** docs/red-team.md, made from the forgeries: what the test runs is what the page says. */
import type { Numbered } from "./forgeries.ts";
import type { Forgery } from "./frame.ts";

const cell = (text: string): string => text.replaceAll("|", "\\|");

function said({ audit }: Forgery): string {
  if (!audit) return "nothing: it reaches neither a chain nor a file";
  const left = audit.unseenBySecond ? `. The second does not look at ${audit.unseenBySecond}` : "";
  return `${audit.verdict}: \`${audit.rule}\`${left}`;
}

function row({ number, file, forgery }: Numbered): string {
  const { title, attacker, wants, stoppedBy, rule, isMinted } = forgery;
  const by = isMinted ? `${stoppedBy}, once it is minted` : stoppedBy;
  const link = `[${title}](../test/red-team/forgeries/${file})`;
  return `| ${[number, link, attacker, wants, by, `\`${rule}\``, said(forgery)].map(String).map(cell).join(" | ")} |`;
}

export function pageOf(forgeries: readonly Numbered[]): string {
  const minted = forgeries.filter(({ forgery }) => forgery.isMinted).length;
  const unseen = forgeries.filter(({ forgery }) => forgery.audit?.unseenBySecond).length;
  return `# The red team

<!-- npm run red-team writes this page from test/red-team/forgeries -->

${forgeries.length} forgeries, each tried for real: contracts on a chain, the DON's source in its sandbox or its nodes bribed, the oracle, the
[auditor](../auditor/README.md). Who is named under "stopped by" refuses it, with that rule. Then all before the auditor is switched
off, and he finds it alone: where his word is not \`view\`, without what the contracts' views say. The [second one](../auditor/second/audit.py)
comes to the same verdict but for ${unseen}, of which the last column says what he does not look at. ${minted} the contract mints, within the
capacity: with a device's key, and a bribed DON or none, nobody before the auditor stops them.

| | forgery | attacker | wants | stopped by | rule | the auditor says |
|---|---|---|---|---|---|---|
${forgeries.map(row).join("\n")}
`;
}
