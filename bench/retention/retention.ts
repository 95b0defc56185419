// Which images should stay? Policies compared on synthetic traces; with --docs the tables and the chart of docs/retention.md are written.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BenchContext, Benchmark, Figure } from "../benchmark.ts";
import { describeMachine } from "../machine.ts";
import { chartOf } from "./chart.ts";
import { type Comparison, compare, type Grid } from "./compare.ts";
import { contenders } from "./contenders.ts";
import { tablesOf } from "./table.ts";
import { scenarios } from "./trace.ts";
import { days, gibibytes } from "./units.ts";

const root = join(import.meta.dirname, "../..");
/** GiB of the disk at which all costs are shown. */
const detailSize = 100;

const fullGrid: Grid = {
  scenarios,
  sizes: [50, 70, 100, 140, 200],
  seeds: [1, 2, 3, 4, 5],
  length: days(28),
  contenders,
};

/** Small enough for tests. */
export const quickGrid: Grid = { ...fullGrid, sizes: [50, 100], seeds: [1], length: days(7) };

export const retention: Benchmark = {
  name: "retention",
  title: "Retention: pulled again on a disk of 100 GiB (simulated, medians)",
  async run({ quick, docs, log }: BenchContext) {
    const startedAt = performance.now();
    const comparison = compare(quick ? quickGrid : fullGrid, log);
    const took = (performance.now() - startedAt) / 1000;
    write(comparison, docs && !quick ? "docs" : "bench/results", took);
    return [...figuresOf(comparison), { what: "the simulation itself", value: took, unit: "s" }];
  },
};

function figuresOf({ settings }: Comparison): readonly Figure[] {
  return settings
    .filter(({ size }) => size === detailSize)
    .flatMap(({ scenario, cells }) =>
      cells
        .filter(({ contender }) => contender.kind !== "order")
        .map(({ contender, cost }): Figure => {
          return {
            what: `${scenario.name}: ${contender.policy.name}`,
            value: cost.againBytes / gibibytes,
            unit: "GiB",
          };
        }),
    );
}

function write(comparison: Comparison, folder: "docs" | "bench/results", took: number): void {
  mkdirSync(join(root, folder, "images"), { recursive: true });
  writeFileSync(join(root, folder, "images/retention.svg"), chartOf(comparison));
  const text = `${settingOf(comparison, took)}\n\n${tablesOf(comparison, detailSize)}\n`;
  const page = join(root, folder, "retention.md");
  writeFileSync(page, folder === "docs" ? filled(readFileSync(page, "utf8"), text) : text);
}

function settingOf({ grid }: Comparison, took: number): string {
  const { cores, cpu, memory, node } = describeMachine();
  const date = new Date().toISOString().slice(0, 10);
  return (
    `Measured on ${date}: seeds ${grid.seeds.join(", ")}, ${grid.length / days(1)} days each, disks of ` +
    `${grid.sizes.join(", ")} GiB; medians. The figures are the same on every machine; this one (${cores} cores, ${cpu}, ` +
    `${memory} GiB, Node.js ${node}) took ${took.toFixed(0)} s.`
  );
}

const [start, end] = ["<!-- measured by npm run bench -- retention --docs -->", "<!-- end of measured part -->"];

function filled(page: string, text: string): string {
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error("docs/retention.md has lost the markers of its measured part");
  return `${page.slice(0, from)}${start}\n\n${text}\n${page.slice(to)}`;
}
