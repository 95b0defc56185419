import { expect, test } from "vitest";
import { chartOf } from "../../../bench/retention/chart.ts";
import { compare } from "../../../bench/retention/compare.ts";
import { contenders } from "../../../bench/retention/contenders.ts";
import { tablesOf } from "../../../bench/retention/table.ts";
import { scenarios } from "../../../bench/retention/trace.ts";
import { days } from "../../../bench/retention/units.ts";

const grid = { scenarios: scenarios.slice(0, 2), sizes: [40, 100], seeds: [1, 2], length: days(3), contenders };
const comparison = compare(grid, () => undefined);

test("the tables have a row for every policy and a figure for every disk", () => {
  const tables = tablesOf(comparison, 100);

  expect(tables).not.toMatch(/NaN|undefined|Infinity/);
  for (const { policy, kind } of contenders) {
    const rows = tables.split("\n").filter((line) => line.replaceAll("*", "").startsWith(`| ${policy.name} |`));
    expect(rows, policy.name).toHaveLength(kind === "order" ? 1 : grid.scenarios.length);
    for (const row of rows) expect(row.split("|").filter((cell) => cell.trim() === "").length, row).toBe(2);
  }
});

test("the chart shows every scenario and has no hole", () => {
  const chart = chartOf(comparison);

  expect(chart).not.toMatch(/NaN|undefined|Infinity/);
  for (const { title } of grid.scenarios) expect(chart).toContain(title);
  // Eight policies and the bound, in the legend and in each panel.
  expect(chart.match(/class="line /g)).toHaveLength(9 * (1 + grid.scenarios.length));
});

test("the medians are those of the seeds", () => {
  const alone = grid.seeds.map((seed) => compare({ ...grid, seeds: [seed] }, () => undefined));

  comparison.settings.forEach(({ cells }, i) => {
    cells.forEach(({ cost }, k) => {
      const each = alone.map(({ settings }) => settings[i]?.cells[k]?.cost.pulledBytes ?? Number.NaN);
      expect(cost.pulledBytes).toBe((Math.min(...each) + Math.max(...each)) / 2);
    });
  });
});
