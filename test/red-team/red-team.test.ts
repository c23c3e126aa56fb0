import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { verdictOf } from "../../auditor/index.ts";
import { readForgeries } from "./forgeries.ts";
import { type Audited, createStage, SETTLED, type Stage } from "./frame.ts";
import { pageOf } from "./page.ts";

const JUDGE = fileURLToPath(new URL("../../auditor/second/test/judge.py", import.meta.url));
const PYTHON = ["python3", "/usr/bin/python3"].find(
  (each) => spawnSync(each, ["-c", "import cryptography"]).status === 0,
);

const PAGE = new URL("../../docs/red-team.md", import.meta.url);
const forgeries = await readForgeries();

/** Without what the contracts' views contradict: a node may lie in them as well. */
const seen = ({ findings }: Audited) => findings.filter(({ rule }) => rule !== "view");

describe("the red team", function () {
  this.timeout(240_000);
  let stage: Stage;
  /** What the second auditor must say of what each forgery left, by title. */
  const expected = new Map<string, string>();
  /** Titles of those that only the contracts' views show. */
  const byView = new Set(forgeries.flatMap(({ forgery: { title, audit } }) => (audit?.rule === "view" ? [title] : [])));
  before(async () => {
    stage = await createStage();
  });
  after(() => stage.close());

  it("begins from a chain that both auditors verify", async () => {
    const { verdict, findings } = await stage.staged("nothing forged", () => stage.audited());
    assert.deepEqual(findings, []);
    assert.equal(verdict, "verified");
    expected.set("nothing forged", "verified");
  });

  it("has puppets that only views tell from the contracts, where what they tell is true", async () => {
    const audit = await stage.staged("nothing but puppets", async () => {
      await stage.pretend({ meter: stage.roof, to: 300, settled: SETTLED });
      return stage.audited();
    });
    assert.deepEqual(seen(audit), []);
    assert.equal(audit.verdict, "refuted");
    expected.set("nothing but puppets", "verified");
  });

  for (const { number, forgery } of forgeries) {
    const { title, stoppedBy, rule, audit } = forgery;
    it(`${number}: ${title} is stopped by the ${stoppedBy}: ${rule}`, async () => {
      const refusal = await stage.staged(`${number}, tried`, () => forgery.try(stage));
      assert.deepEqual(refusal, { by: stoppedBy, rule });
      if (!audit) return;
      const result = await stage.staged(title, () => audit.do(stage));
      const found = audit.rule === "view" ? result.findings : seen(result);
      assert.equal(verdictOf(found), audit.verdict, JSON.stringify(found));
      const rules = found.map((finding) => finding.rule);
      assert.ok(rules.includes(audit.rule), `${audit.rule} is not among ${rules.join(", ")}`);
      expected.set(title, audit.unseenBySecond ? "verified" : audit.verdict);
    });
  }

  it("is seen by the second auditor as by the first, in whatever reaches a folder", function () {
    if (!PYTHON) {
      console.log("    skipped: there is no python3 with cryptography (Debian: python3-cryptography)");
      return this.skip();
    }
    // of each what it left in the end
    const last = new Map(stage.evidence.map((each) => [each.title, each]));
    const evidence = [...last.values()].filter(({ title }) => expected.has(title));
    const input = evidence.map(({ folder, batch }) => `${batch ? `${folder}\t${batch}` : folder}\n`).join("");
    const { stdout, stderr } = spawnSync(PYTHON, ["-B", JUDGE], { encoding: "utf8", input, maxBuffer: 2 ** 26 });
    const answers = stdout.trim().split("\n");
    assert.equal(answers.length, evidence.length, stderr);
    const differing = evidence.flatMap(({ title }, i) => {
      const { rules } = JSON.parse(answers[i] as string) as { rules: string[] };
      const found = byView.has(title) ? rules : rules.filter((rule) => rule !== "view");
      const verdict = found.some((rule) => rule !== "missing") ? "refuted" : found[0] ? "cannot tell" : "verified";
      return verdict === expected.get(title) ? [] : [`${title}: ${verdict} by ${rules.join(", ")}`];
    });
    assert.deepEqual(differing, []);
  });

  it("is at least forty, and stands in docs/red-team.md as it was run", async () => {
    assert.ok(forgeries.length >= 40, String(forgeries.length));
    assert.equal(await readFile(PAGE, "utf8"), pageOf(forgeries), "npm run red-team writes it");
  });
});
