import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { TellableAudit } from "../../auditor/index.ts";
import { createWorld, type World } from "../../auditor/test/world.ts";
import { isMissing, launch, visit, WHY } from "../../dashboard/test/support.ts";
import { auditData } from "../commands/audit/told.ts";
import { written } from "../terminal/telling.ts";
import { wattwitness } from "./support.ts";

const HOSTILE =
  "<script>alert(1)</script><img src=x onerror=alert(1)> \"' & | `x` [a](javascript:alert(1))\n# \u202eevil\u001b[2J";

describe("wattwitness report", function () {
  this.timeout(180_000);
  let world: World;
  let folder: string;
  let audit: TellableAudit;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "wattwitness-report-"));
    world = await createWorld();
    audit = await toldOf(await world.audit());
  });
  after(async () => {
    await world.close();
    await rm(folder, { recursive: true });
  });

  const toldOf = async (result: Awaited<ReturnType<World["audit"]>>): Promise<TellableAudit> =>
    JSON.parse(written({ verdict: result.verdict, ...auditData(result, { places: ["./mirror"], nodes: 1 }) }));

  async function report(told: object, ...args: string[]) {
    const file = join(folder, "audit.json");
    await writeFile(file, JSON.stringify(told));
    return wattwitness(["report", "--audit", file, ...args]);
  }

  it("refuses a file that is no audit, and one whose verdict its findings do not come to", async () => {
    for (const told of [{}, [], { verdict: "verified" }, { ...audit, figures: null }]) {
      assert.equal((await report(told)).code, 2, JSON.stringify(told).slice(0, 80));
    }
    const finding = { is: "refuted", rule: "root", object: "a settlement", where: {} };
    const { code, err } = await report({ ...audit, findings: [finding] });
    assert.equal(code, 2);
    assert.match(err, /verdict is another/);
    assert.equal((await wattwitness(["report", "--audit", join(folder, "nothing")])).code, 2);
    assert.equal((await wattwitness(["report"])).code, 2);
  });

  it("ends as the audit did, with every finding whole", async () => {
    const none = await toldOf(await world.audit({ places: [] }));
    const missing = await report(none);
    assert.equal(missing.code, 2);
    assert.match(missing.out, /Cannot tell/);
    for (const { object } of none.findings) assert.ok(missing.out.includes(object), object);
    const refuted = { ...audit.findings, is: "refuted", rule: "produced", object: "this", expected: "12", found: "13" };
    const where = { block: 7, transaction: `0x${"ab".repeat(32)}` };
    const { code, out } = await report({ ...audit, verdict: "refuted", findings: [{ ...refuted, where }] });
    assert.equal(code, 1);
    for (const words of ["Refuted: produced", "this", "12", "13", "block 7", where.transaction]) {
      assert.ok(out.includes(words), words);
    }
  });

  it("has the evidence of every figure: block, contracts, source, each meter's keys and settlements", async () => {
    for (const format of ["md", "html"]) {
      const { code, out } = await report(audit, "--format", format);
      assert.equal(code, 0);
      const { contracts, block, meters = [], settlements = [] } = audit;
      const expected = [
        ...[contracts?.registry, contracts?.wattWitness, contracts?.token, String(block?.number), block?.hash],
        ...[audit.source_hash, audit.events_hash],
        ...meters.flatMap(({ meter, keys }) => [meter, ...keys.map(({ key_id }) => key_id)]),
        ...settlements.flatMap(({ root, where, evidence }) => [root, where.transaction, evidence?.batch ?? root]),
        ...["charged a car", "No second node was asked", "2026-03-20"],
      ];
      for (const words of expected) assert.ok(out.includes(words as string), `${format}: ${words}`);
      assert.equal(meters.length, 4);
    }
  });

  it("says of a part that it is one", async () => {
    const [one] = audit.meters ?? [];
    const part = await toldOf(await world.audit({ scope: { meters: [one?.meter as `0x${string}`] } }));
    const { out } = await report(part);
    assert.match(out, /Verified, of the settlements that were looked for/);
    assert.match(out, /The readings of \d+ settlements outside/);
  });

  it("gives the same bytes for the same audit, wherever and whenever", async () => {
    const file = join(folder, "same.json");
    await writeFile(file, JSON.stringify(audit));
    for (const format of ["md", "html"]) {
      const [one, other] = [join(folder, "one"), join(folder, "other")];
      const args = ["report", "--audit", file, "--format", format, "--out"];
      await wattwitness([...args, one], { TZ: "Pacific/Auckland", LANG: "de_DE.UTF-8", LC_ALL: "ar_EG.UTF-8" });
      await wattwitness([...args, other], { TZ: "America/Lima" });
      assert.deepEqual(await readFile(one), await readFile(other));
    }
  });

  it("lets no stranger's words run, link or leave their line", async () => {
    const [first, ...more] = audit.retirements ?? [];
    const retirements = [{ ...first, name: HOSTILE, purpose: HOSTILE }, ...more];
    const hostile = { ...audit, retirements, places: [HOSTILE] };
    const html = (await report(hostile, "--format", "html")).out;
    assert.doesNotMatch(html, /<(script|img)|\p{Cf}/u);
    assert.ok(html.includes("&lt;script&gt;alert(1)&lt;/script&gt;"));
    const markdown = (await report(hostile)).out;
    assert.doesNotMatch(markdown, /<|\]\(|\p{Cf}|^# .*evil/mu);
    assert.ok(![html, markdown].some((page) => page.includes("\u001b")));
    const widths = markdown.split("\n").filter((line) => line.startsWith("| 1 |"));
    assert.deepEqual(
      widths.map((line) => line.split("|").length - 2),
      [7],
    );
  });

  it("prints on pages of A4, in a browser that has nothing to complain of and asks nobody", async function () {
    if (isMissing) {
      console.log(`      ${WHY}`);
      this.skip();
    }
    const file = join(folder, "report.html");
    const [first] = audit.retirements ?? [];
    const retirements = [{ ...first, name: HOSTILE, purpose: HOSTILE }];
    await report({ ...audit, retirements }, "--format", "html", "--out", file);
    const browser = await launch();
    try {
      const visited = await visit(browser, pathToFileURL(file).href, { viewport: { width: 1000, height: 1400 } });
      const { page, wrongs, requests } = visited;
      const pdf = (await page.pdf({ preferCSSPageSize: true })).toString("latin1");
      const pages = pdf.match(/\/Type\s*\/Page\b(?!s)/g)?.length ?? 0;
      assert.ok(pages >= 2 && pages <= 12, String(pages));
      for (const [, box] of pdf.matchAll(/\/MediaBox\s*\[([^\]]*)\]/g))
        assert.match(box as string, /^0 0 59[45][\d.]* 84[12]/);
      assert.ok(await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"));
      assert.deepEqual([wrongs, requests.filter((url) => /^https?:/.test(url))], [[], []]);
      await page.emulateMedia({ media: "print" });
      await visited.shoot("report");
      await visited.close();
    } finally {
      await browser.close();
    }
  });
});
