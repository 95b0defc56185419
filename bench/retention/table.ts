// The comparison as Markdown tables.
import type { Comparison, Setting } from "./compare.ts";
import type { Contender } from "./contenders.ts";
import type { Cost } from "./simulate.ts";
import { gibibytes, hours } from "./units.ts";

/** One table for each scenario with bytes pulled again at all sizes and the other costs at one of them, and one table of orders. */
export function tablesOf(comparison: Comparison, detailSize: number): string {
  const tables = comparison.grid.scenarios.map(({ name, title }) => {
    const settings = comparison.settings.filter(({ scenario }) => scenario.name === name);
    return `### ${name}: ${title}\n\n${scenarioTable(settings, detailSize)}`;
  });
  return [...tables, `### Orders\n\n${orderTable(comparison)}`].join("\n\n");
}

function scenarioTable(settings: readonly Setting[], detailSize: number): string {
  const detailed = settings.find(({ size }) => size === detailSize) ?? settings[0];
  const sizes = settings.map(({ size }) => (size === detailed?.size ? `**${size}**` : `${size}`));
  const head = ["policy", ...sizes, "delayed again", "waited", "disk full", "above 85 %", "fullest"];
  const shown = (detailed?.cells ?? []).filter(({ contender }) => contender.kind !== "order");
  const rows = shown.map(({ contender, cost }) => [
    contender.kind === "default" ? `**${contender.policy.name}**` : contender.policy.name,
    ...settings.map((setting) => againOf(setting, contender)),
    cost.delayedAgain.toFixed(0),
    `${(cost.waitedAgain / 60_000).toFixed(0)} min`,
    cost.diskFull.toFixed(0),
    `${(cost.above85 / hours(1)).toFixed(1)} h`,
    `${(100 * cost.largestFill).toFixed(0)} %`,
  ]);
  const bound = ["lower bound, whole disk", ...settings.map(({ leastAgainBytes }) => inGib(leastAgainBytes))];
  const first = detailed === undefined ? "" : `First pulls, the same for all: ${inGib(detailed.firstBytes)} GiB.`;
  return `${markdown(head, [...rows, bound])}\n\n${first}`;
}

function againOf(setting: Setting, contender: Contender): string {
  const cost = setting.cells.find((cell) => cell.contender === contender)?.cost;
  if (cost === undefined) return "";
  return `${inGib(cost.againBytes)}${cost.neverRan > 0 ? ` (${cost.neverRan.toFixed(0)} lost)` : ""}`;
}

/** Each order against the first, over all scenarios and sizes: geometric means, in which small disks count no more than large ones. */
function orderTable({ settings }: Comparison): string {
  const orders = (settings[0]?.cells ?? []).map(({ contender }) => contender).filter(({ kind }) => kind === "order");
  const [standard] = orders;
  const rows = orders.map((order) => [
    order.policy.name,
    meanRatio(settings, { order, standard, of: ({ againBytes }) => againBytes / gibibytes + 0.5 }),
    meanRatio(settings, { order, standard, of: ({ delayedAgain }) => delayedAgain + 2 }),
  ]);
  return markdown(["order (model, marks 80/70)", "bytes pulled again", "starts delayed again"], rows);
}

interface Ratio {
  readonly order: Contender;
  readonly standard: Contender | undefined;
  /** Never 0: a little is added, so that nothing against next to nothing is no large ratio. */
  readonly of: (cost: Cost) => number;
}

function meanRatio(settings: readonly Setting[], { order, standard, of }: Ratio): string {
  const logs = settings.flatMap(({ cells }) => {
    const [one, other] = [order, standard].map((wanted) => cells.find(({ contender }) => contender === wanted)?.cost);
    return one === undefined || other === undefined ? [] : [Math.log(of(one) / of(other))];
  });
  return `x ${Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length).toFixed(2)}`;
}

function inGib(bytes: number): string {
  const value = bytes / gibibytes;
  return value.toFixed(value >= 99.95 ? 0 : 1);
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${head.map((_, i) => cells[i] ?? "").join(" | ")} |`.replaceAll("|  |", "| |").replaceAll("|  |", "| |");
  return [line(head), `|${head.map((_, i) => (i === 0 ? "---" : "--:")).join("|")}|`, ...rows.map(line)].join("\n");
}
