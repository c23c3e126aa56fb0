/** Writes docs/red-team.md from the forgeries that test/red-team runs: `npm run red-team`, `npm run red-team:check`. */
import { readForgeries } from "../test/red-team/forgeries.ts";
import { pageOf } from "../test/red-team/page.ts";
import { writeGenerated } from "./generated.ts";

await writeGenerated(
  new URL("../docs/red-team.md", import.meta.url),
  pageOf(await readForgeries()),
  "npm run red-team",
);
