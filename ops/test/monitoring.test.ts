import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { newWorld, removeDirectories, START } from "../../oracle/test/support.ts";
import { anchorsOf } from "../../test/docs/markdown.ts";
import { needs, pathOf, run, textOf } from "./support.ts";

type Alert = { alert: string; expr: string; annotations: { summary: string; remedy: string } };
type Panel = { id: number; type: string; title: string; datasource?: { uid: string }; targets?: { expr: string }[] };

const alerts: Alert[] = parse(textOf("prometheus/alerts.yml")).groups[0].rules;
const dashboard = JSON.parse(textOf("grafana/dashboard.json"));
const panels = (dashboard.panels as Panel[]).filter(({ type }) => type !== "row");
const expressions = [
  ...alerts.map(({ alert, expr }) => [alert, expr] as const),
  ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
];

/** What an expression asks for: metrics, and the names of labels that it chooses or sums by. */
const metricsIn = (expression: string): string[] => expression.match(/\bwattwitness_\w+/g) ?? [];
const labelsIn = (expression: string): string[] => [
  ...[...expression.matchAll(/\{([^}]*)\}/g)].flatMap(([, chosen = ""]) => chosen.match(/\w+(?=\s*[=!])/g) ?? []),
  ...[...expression.matchAll(/\b(?:by|without) \(([^)]*)\)/g)].flatMap(([, names = ""]) => names.match(/\w+/g) ?? []),
];

/** What Prometheus itself gives every series. */
const PROMETHEUS_LABELS = ["job", "instance"];

describe("what is asked of an oracle's metrics", () => {
  /** by name of a metric, those of its labels that were seen */
  const told = new Map<string, Set<string>>();

  before(async () => {
    const world = await newWorld();
    try {
      const meter = await world.newMeter();
      await world.live(meter, START + 200);
      // a batch under way, and a refusal, so that their labels are there
      world.chain.don = undefined;
      await world.oracle.tick();
      await world.app.inject("/nowhere");
      const { body } = await world.app.inject("/metrics");
      for (const [, name = ""] of body.matchAll(/^# TYPE (\S+)/gm)) told.set(name, new Set());
      for (const [, name = "", labels = ""] of body.matchAll(/^(\w+)\{([^}]*)\}/gm)) {
        for (const label of labels.match(/\w+(?==")/g) ?? []) told.get(name)?.add(label);
      }
    } finally {
      await world.app.close();
      await removeDirectories();
    }
  });

  it("is what there is, by its name and labels", () => {
    assert.ok(expressions.length > 20);
    for (const [where, expression] of expressions) {
      const metrics = metricsIn(expression);
      for (const name of metrics) assert.ok(told.has(name), `${where}: there is no ${name}`);
      const labels = new Set([...PROMETHEUS_LABELS, ...metrics.flatMap((name) => [...(told.get(name) ?? [])])]);
      for (const label of labelsIn(expression)) assert.ok(labels.has(label), `${where}: there is no label ${label}`);
    }
  });

  it("names rules and stages as the oracle does", () => {
    const words = ["oracle/http/refusing.ts", "oracle/settling/jobs.ts"]
      .map((file) => readFileSync(pathOf(`../${file}`), "utf8"))
      .join();
    for (const [where, expression] of expressions) {
      for (const [, value = ""] of expression.matchAll(/(?:rule|stage)="([^"]*)"/g)) {
        assert.ok(words.includes(`"${value}"`), `${where}: there is no ${value}`);
      }
    }
  });
});

describe("the alerts", () => {
  it("say what is the matter, and which part of the documentation helps", () => {
    const anchors = anchorsOf(readFileSync(pathOf("../docs/operate.md"), "utf8"));
    for (const { alert, annotations } of alerts) {
      assert.ok(annotations.summary.endsWith("."), alert);
      const [file, anchor = ""] = annotations.remedy.split("#");
      assert.equal(file, "docs/operate.md", alert);
      assert.ok(anchors.includes(anchor), `${alert}: there is no section ${anchor}`);
    }
  });

  describe("by Prometheus itself", () => {
    needs("promtool", "prometheus");

    it("are rules, and scraped for", () => {
      const { code, said } = run("promtool", "check", "config", pathOf("prometheus/prometheus.yml"));
      assert.equal(code, 0, said);
    });

    it("come where they should, and nowhere else", () => {
      const { code, said } = run("promtool", "test", "rules", pathOf("prometheus/alerts.test.yml"));
      assert.equal(code, 0, said);
    });

    it("are all tried", () => {
      const tried = textOf("prometheus/alerts.test.yml");
      for (const { alert } of alerts) assert.ok(tried.includes(`"${alert}"`), alert);
    });
  });
});

describe("the dashboard for Grafana", () => {
  it("is found by one name, and asks whichever Prometheus is chosen", () => {
    assert.equal(dashboard.uid, "wattwitness");
    assert.deepEqual(
      dashboard.templating.list.map(({ name, type }: { name: string; type: string }) => [name, type]),
      [["datasource", "datasource"]],
    );
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is Grafana's
    for (const { title, datasource } of panels) assert.equal(datasource?.uid, "${datasource}", title);
  });

  it("has panels that are told apart, each with a question", () => {
    const ids = (dashboard.panels as Panel[]).map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    for (const { title, targets = [] } of panels) assert.ok(targets.length > 0, title);
  });
});
