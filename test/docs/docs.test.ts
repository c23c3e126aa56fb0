/** Documents do not lie: their commands run, in order, in a place of their own; links lead somewhere. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { problemsOf } from "./contracts.ts";
import { invocationsInBlock, invocationsInText, whyUnknown } from "./invocations.ts";
import { anchorsOf, fixturesOf, linksOf, listingsOf, shellBlocksOf, testOf } from "./markdown.ts";
import { ROOT, runBlocks } from "./place.ts";

const documents = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));

for (const name of documents) {
  const path = join("docs", name);
  const markdown = readFileSync(join(ROOT, path), "utf8");
  const blocks = shellBlocksOf(markdown);

  describe(path, function () {
    this.timeout(180_000);

    it("names commands and options of wattwitness that there are", () => {
      const invocations = [...blocks.flatMap(({ text }) => invocationsInBlock(text)), ...invocationsInText(markdown)];
      for (const args of invocations) assert.equal(whyUnknown(args), undefined, `wattwitness ${args.join(" ")}`);
    });

    it("links to files and sections that there are", () => {
      for (const link of linksOf(markdown).filter((each) => !/^https?:/.test(each))) {
        const [file = "", anchor] = link.split("#");
        const target = file === "" ? join(ROOT, path) : join(ROOT, dirname(path), file);
        assert.ok(existsSync(target), link);
        if (anchor) assert.ok(anchorsOf(readFileSync(target, "utf8")).includes(anchor), link);
      }
    });

    it("lists contracts that compile", () => {
      for (const { name, text } of listingsOf(markdown).filter((each) => each.name.endsWith(".sol"))) {
        assert.deepEqual(problemsOf(name, text), []);
      }
    });

    const own = testOf(markdown);
    if (own) {
      it(`is run by ${own}`, () => assert.ok(readFileSync(join(ROOT, own), "utf8").includes(path)));
      return;
    }

    it("does what it says, command by command", async () => {
      const run = blocks.filter(({ isRun }) => isRun);
      const { code, said, line } = await runBlocks(run, fixturesOf(markdown), listingsOf(markdown));
      assert.equal(code, 0, `the block of line ${line}:\n${said}`);
    });
  });
}

describe("what reads the documents", () => {
  it("runs what is not marked, and stops at what fails", async () => {
    const blocks = shellBlocksOf("```sh title=not-run\nexit 5\n```\n\n```sh\ntrue\n```\n```sh\nfalse\necho on\n```\n");
    assert.deepEqual(
      blocks.map(({ line, isRun }) => [line, isRun]),
      [
        [2, false],
        [6, true],
        [9, true],
      ],
    );
    const { code, said, line } = await runBlocks(
      blocks.filter(({ isRun }) => isRun),
      [],
    );
    assert.deepEqual([code, line, said.includes("on")], [1, 9, false]);
  });

  it("knows no command and no option that wattwitness does not have", () => {
    assert.deepEqual(invocationsInBlock("systemctl start wattwitness\njournalctl -u wattwitness -f\n"), []);
    const told = invocationsInBlock("sudo -u x wattwitness node backup /a --date b && wattwitness node lost");
    assert.deepEqual(told.map(whyUnknown), ["backup has no option --date", "node has no command lost"]);
    const inContainer = invocationsInBlock("docker compose -f ops/compose.yaml run --rm oracle node backdown /x");
    assert.deepEqual(inContainer.map(whyUnknown), ["node has no command backdown"]);
  });

  it("touches nothing of this machine's own folders", async () => {
    const { said } = await runBlocks([{ line: 1, text: "echo /etc/passwd; ls /etc", isRun: true }], []);
    assert.match(said, /wattwitness-docs-\w+\/etc\/passwd\nsystemd\n$/);
  });

  it("refuses a fixture that it does not have", async () => {
    await assert.rejects(runBlocks([], ["castle"]), /There is no fixture castle/);
  });
});
