/** A page as one file of HTML that prints on A4: its own few styles, no script, and nothing asked of anybody. */
import type { Page, Part } from "./page.ts";

const STYLE = `
@page { size: A4; margin: 18mm 16mm; }
* { box-sizing: border-box; }
body { font: 10pt/1.45 system-ui, sans-serif; color: #1b1f1d; background: #fff; max-width: 178mm; margin: 12mm auto; padding: 0 4mm; }
h1 { font-size: 20pt; line-height: 1.2; margin: 0 0 4mm; }
h2 { font-size: 13pt; margin: 9mm 0 2mm; padding-bottom: 1mm; border-bottom: 1px solid #c9d1cc; break-after: avoid; }
h3 { font-size: 10.5pt; margin: 6mm 0 2mm; break-after: avoid; overflow-wrap: anywhere; }
p, ul { margin: 0 0 3mm; }
ul { padding-left: 5mm; }
li, td, dd, p { overflow-wrap: anywhere; }
.verdict { font-size: 12pt; font-weight: 600; padding: 3mm 4mm; border-left: 2mm solid; background: #f4f6f5; }
.verified { border-color: #1f7a4d; }
.refuted { border-color: #b3261e; }
.cannot { border-color: #a15c00; }
dl { display: grid; grid-template-columns: 40mm 1fr; gap: 1mm 4mm; margin: 0 0 3mm; }
dt { color: #56605a; }
dd { margin: 0; }
table { width: 100%; border-collapse: collapse; margin: 0 0 3mm; font-size: 8pt; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
th, td { text-align: left; vertical-align: top; padding: 1mm 2mm 1mm 0; border-bottom: 1px solid #e1e6e3; }
th { color: #56605a; font-weight: 600; }
@media print { body { max-width: none; margin: 0; padding: 0; } }
`;

export const htmlOf = (page: Page): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${escaped(page.map((part) => (part.is === "title" ? part.text : "")).join(""))}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
${page.map(partOf).join("\n")}
</body>
</html>
`;

function partOf(part: Part): string {
  switch (part.is) {
    case "title":
      return `<h1>${escaped(part.text)}</h1>`;
    case "heading":
      return `<h2>${escaped(part.text)}</h2>`;
    case "subheading":
      return `<h3>${escaped(part.text)}</h3>`;
    case "text":
      return `<p>${escaped(part.text)}</p>`;
    case "verdict":
      return `<p class="verdict ${part.verdict.split(" ")[0]}">${escaped(part.text)}</p>`;
    case "facts":
      return `<dl>${part.facts.map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`).join("")}</dl>`;
    case "list":
      return `<ul>${part.items.map((item) => `<li>${escaped(item)}</li>`).join("")}</ul>`;
    case "table":
      return `<table><thead>${row("th", part.head)}</thead><tbody>${part.rows.map((each) => row("td", each)).join("\n")}</tbody></table>`;
  }
}

const row = (cell: "th" | "td", texts: readonly string[]): string =>
  `<tr>${texts.map((each) => `<${cell}>${escaped(each)}</${cell}>`).join("")}</tr>`;

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

const escaped = (said: string): string => plain(said).replaceAll(/[&<>"']/g, (each) => ENTITIES[each] as string);

/** On one line; for what turns the direction of text, or cannot be seen, stands a mark. */
export const plain = (said: string): string =>
  said.replaceAll(/[\s\u2028\u2029]+/g, " ").replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}]/gu, "�");
