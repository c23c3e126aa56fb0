import assert from "node:assert/strict";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { SITE_POLICY } from "../../oracle/http/site.ts";
import { buildDashboard, PAGE_POLICY } from "../build.ts";
import { LIMIT, sizes } from "../size.ts";

describe("the dashboard's files", () => {
  it("are at most 75 kB, packed, at any address before a wallet is asked for", async () => {
    const { most } = await sizes();
    assert.ok(most <= LIMIT, `${most} bytes`);
  });

  it("are not built again where nothing has changed", async () => {
    const page = join(await buildDashboard(), "index.html");
    const { mtimeMs } = await stat(page);
    await buildDashboard();
    assert.equal((await stat(page)).mtimeMs, mtimeMs);
  });

  it("have no script or style in the page, and name their content", async () => {
    const folder = await buildDashboard();
    const page = await readFile(join(folder, "index.html"), "utf8");
    assert.doesNotMatch(page, /<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/);
    const names = await readdir(join(folder, "assets"));
    for (const name of names) assert.match(name, /^[a-z0-9-]+-[A-Z0-9]{8}\.(js|css|svg)$/);
    for (const [, name] of page.matchAll(/assets\/([^"]+)/g)) assert.ok(names.includes(name as string), name);
    assert.equal([...page.matchAll(/assets\//g)].length, 3);
  });

  it("say of themselves what the oracle says of them", async () => {
    assert.equal(SITE_POLICY, `${PAGE_POLICY}; frame-ancestors 'none'`);
    assert.ok((await readFile(join(await buildDashboard(), "index.html"), "utf8")).includes(PAGE_POLICY));
  });
});
