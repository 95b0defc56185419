// The Grafana dashboards: every query is run by a real Prometheus that scrapes two real agents, and has an answer.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { metricTable } from "../../src/report/metric-table.ts";
import { waitFor } from "../support/wait.ts";
import { type Agent, startAgent } from "./agents.ts";
import { dashboardNames, filledIn, type Panel, readDashboard } from "./dashboard.ts";
import { type Prometheus, type Series, startPrometheus } from "./prometheus.ts";
import { ruleFile } from "./rule-file.ts";
import { skipReason, titled } from "./tools.ts";

const dashboards = dashboardNames.map((name) => ({ name, ...readDashboard(name) }));
const panels = dashboards.flatMap(({ name, panels }) => panels.map((panel) => ({ name, panel, title: panel.title })));
const queries = panels.flatMap(({ name, panel }) =>
  panel.targets.map((target) => ({ name, title: panel.title, type: panel.type, ...target })),
);

describe.skipIf(skipReason() !== undefined)(titled("the dashboards on real agents"), { timeout: 60_000 }, () => {
  const agents: Agent[] = [];
  let prometheus: Prometheus;
  const startedAt = Date.now() / 1000;

  beforeAll(async () => {
    agents.push(await startAgent({ node: "worker-1", seed: 3 }), await startAgent({ node: "worker-2", seed: 8 }));
    prometheus = await startPrometheus({ targets: agents, rules: [ruleFile] });
    // An increase needs a counter that was seen before it grew: wait until each node has removed something meanwhile.
    await waitFor(
      "removals on both nodes",
      async () => (await prometheus.query("changes(prunelet_reclaimed_bytes_total[2m]) >= 1")).length === 2,
      { timeoutMs: 75_000, intervalMs: 500 },
    );
  }, 120_000);

  afterAll(async () => {
    await prometheus?.stop();
    for (const agent of agents) await agent.stop();
  }, 30_000);

  test.each(queries)("$name: $title ($refId) returns data", async ({ name, expr, instant }) => {
    const node = name === "fleet" ? ".*" : "worker-1";
    const expression = filledIn(expr, { node, rateInterval: "20s", range: "2m" });
    const ask = () =>
      instant
        ? prometheus.query(expression)
        : prometheus.queryRange(expression, { start: startedAt, end: Date.now() / 1000, step: 1 });

    // A removal that was just scraped makes a rate with the next scrape.
    const found = await waitFor(expression, async () => {
      const withNumber = (await ask()).filter(hasNumber);
      return withNumber.length > 0 && withNumber;
    });

    expect(found).not.toEqual([]);
  });

  test("show each node by itself", async () => {
    const expression = 'sum(prunelet_image_bytes{node=~"$node"})';
    const of = (node: string) =>
      waitFor(`the bytes of ${node}`, async () => {
        const [series] = await prometheus.query(filledIn(expression, { node, rateInterval: "20s", range: "2m" }));
        return series?.values[0]?.[1];
      });

    const [first, second] = [await of("worker-1"), await of("worker-2")];

    expect(first).toBeGreaterThan(0);
    expect(second).toBeGreaterThan(0);
  });

  test.each(["instance:prunelet_last_success_age:seconds", "instance:prunelet_filesystem_used:ratio"])(
    "come with the recording rule %s, which has a value for each agent",
    async (rule) => {
      const found = await waitFor(rule, async () => {
        const series = await prometheus.query(rule);
        return series.length === 2 ? series : undefined;
      });

      expect(found.every(hasNumber)).toBe(true);
    },
  );

  test("find no alert that fires on healthy agents", async () => {
    expect(await prometheus.query('ALERTS{alertstate="firing"}')).toEqual([]);
  });
});

describe("the dashboards as files", () => {
  test.each(panels)("$name: $title explains itself, has a unit and asks the chosen data source", ({ panel }) => {
    const { datasource, targets, fieldConfig, description, type } = panel;

    expect(description.length).toBeGreaterThan(20);
    expect(new Set([datasource, ...targets.map((target) => target.datasource)].map(({ uid }) => uid))).toEqual(
      // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the spelling of Grafana.
      new Set(["${datasource}"]),
    );
    expect(type === "table" || fieldConfig.defaults.unit !== undefined).toBe(true);
  });

  test.each(dashboards)("$name has panels that fill its rows and never overlap", ({ panels: all }) => {
    const cells = all.flatMap(cellsOf);

    expect(new Set(cells).size).toBe(cells.length);
    expect(cells.length % 24).toBe(0);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  test.each(dashboards)("$name lets people choose the data source and the node", ({ templating }) => {
    expect(templating.list.map(({ name, type }) => [name, type])).toEqual([
      ["datasource", "datasource"],
      ["node", "query"],
    ]);
  });

  test.each(queries)("$name: $title ($refId) asks for the chosen nodes", ({ expr }) => {
    expect(expr).toContain('node=~"$node"');
  });

  test("lead to each other", () => {
    const uids = dashboards.map(({ uid }) => `/d/${uid}`);
    const targets = dashboards.flatMap(({ links }) => links.map(({ url }) => url));

    expect(targets.toSorted()).toEqual(uids.toSorted());
  });

  test("show every metric of the table", () => {
    const shown = new Set(queries.flatMap(({ expr }) => expr.match(/prunelet_\w+/g) ?? []));
    // The result of reloads is shown by its state; the counter is for alerts and searches.
    const elsewhere = new Set<string>(["config_reloads_total"]);

    const missing = Object.values(metricTable)
      .map((row): string => row.name)
      .filter((name) => !elsewhere.has(name))
      .filter((name) => !["", "_bucket"].some((suffix) => shown.has(`prunelet_${name}${suffix}`)));

    expect(missing).toEqual([]);
  });
});

function hasNumber({ values }: Series): boolean {
  return values.some(([, value]) => Number.isFinite(value));
}

function cellsOf({ gridPos: { x, y, w, h } }: Panel): readonly string[] {
  return Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`);
}
