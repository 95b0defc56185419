// The rule file of the chart: checked and tried by promtool, and each alert has a runbook that exists.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { metricTable } from "../../src/report/metric-table.ts";
import { ruleFile } from "./rule-file.ts";
import { promtool, skipReason, titled } from "./tools.ts";

const root = join(import.meta.dirname, "../..");
const casesFolder = join(import.meta.dirname, "rules");
const caseFiles = readdirSync(casesFolder).filter((name) => name.endsWith(".yaml"));

const rulesSchema = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      rules: z.array(
        z.object({
          alert: z.string().optional(),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.record(z.string(), z.string()).optional(),
          annotations: z.record(z.string(), z.string()).optional(),
        }),
      ),
    }),
  ),
});
const casesSchema = z.object({
  tests: z.array(
    z.object({
      alert_rule_test: z
        .array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()).default([]) }))
        .default([]),
    }),
  ),
});

const rules = rulesSchema.parse(parse(readFileSync(ruleFile, "utf8"))).groups.flatMap((group) => group.rules);
const alerts = rules.flatMap((rule) => (rule.alert === undefined ? [] : [{ ...rule, name: rule.alert }]));

describe.skipIf(skipReason() !== undefined)(titled("promtool"), () => {
  test("accepts the rule file", () => {
    expect(promtool(["check", "rules", ruleFile])).toContain(`${rules.length} rules found`);
  });

  test.each(caseFiles)("finds the rules to behave as %s says", (name) => {
    expect(promtool(["test", "rules", join(casesFolder, name)])).toContain("SUCCESS");
  });
});

describe("the alerts", () => {
  test.each(alerts)("$name has cases that fire and cases that stay silent", ({ name }) => {
    const cases = caseFiles
      .flatMap((file) => casesSchema.parse(parse(readFileSync(join(casesFolder, file), "utf8"))).tests)
      .flatMap((one) => one.alert_rule_test)
      .filter(({ alertname }) => alertname === name);

    expect(cases.some(({ exp_alerts }) => exp_alerts.length > 0)).toBe(true);
    expect(cases.some(({ exp_alerts }) => exp_alerts.length === 0)).toBe(true);
  });

  test.each(alerts)("$name says how bad it is, what happened and where to read on", ({ labels, annotations }) => {
    const headings = headingsOf("docs/troubleshooting.md");

    const { summary, description, runbook_url: runbook = "" } = annotations ?? {};

    expect(labels?.["severity"]).toMatch(/^(info|warning|critical)$/);
    expect([summary, description].every((text) => text !== undefined && text.length > 20)).toBe(true);
    expect(runbook).toMatch(/^docs\/troubleshooting\.md#/);
    expect(headings).toContain(runbook.split("#")[1]);
  });

  test.each(alerts)("$name waits before it fires, so that a start is no alert", ({ for: wait }) => {
    expect(wait).toMatch(/^\d+m$/);
  });
});

test("rules name no metric of prunelet that the metric table does not have", () => {
  const known = new Set(Object.values(metricTable).map(({ name }) => `prunelet_${name}`));
  const named = rules
    .flatMap(({ expr }) => expr.match(/(?<![:\w])prunelet_\w+/g) ?? [])
    .map((name) => name.replace(/_(bucket|sum|count)$/, ""));

  expect(named.filter((name) => !known.has(name))).toEqual([]);
});

/** The anchors that GitHub makes of a page's headings. */
function headingsOf(page: string): readonly string[] {
  const titles = readFileSync(join(root, page), "utf8").matchAll(/^#+ (.+)$/gm);
  return [...titles].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}
