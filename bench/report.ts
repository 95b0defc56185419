// Tables of figures for people.
import type { Benchmark, Figure } from "./benchmark.ts";

/** One table, right-aligned values, with the target and whether it was met. */
export function formatFigures({ title }: Benchmark, figures: readonly Figure[]): string {
  const width = Math.max(...figures.map(({ what }) => what.length));
  const rows = figures.map((figure) => {
    const value = `${formatValue(figure.value)} ${figure.unit}`.padStart(13);
    return `  ${figure.what.padEnd(width)} ${value}  ${judge(figure)}${spread(figure)}`.trimEnd();
  });
  return [`\n${title}`, ...rows, ""].join("\n");
}

function judge({ value, target, unit }: Figure): string {
  if (target === undefined) return "";
  return `${value <= target ? "met" : "MISSED"}: at most ${target} ${unit}  `;
}

function spread({ runs = [] }: Figure): string {
  if (runs.length < 2) return "";
  return `${formatValue(Math.min(...runs))} to ${formatValue(Math.max(...runs))}, ${runs.length} runs`;
}

function formatValue(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(value >= 0.1 ? 2 : 4);
}
