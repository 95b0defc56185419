// Prints data to stdout: JSON, YAML, or a table for people. Nothing else writes to stdout.
import { stringify } from "yaml";
import { printable } from "../report/printable.ts";
import type { OutputFormat } from "./flags.ts";

/** Prints `data`, or the lines of `table` when people read. */
export function print(format: OutputFormat | undefined, data: unknown, table: () => string): void {
  process.stdout.write(render(format, data, table));
}

function render(format: OutputFormat | undefined, data: unknown, table: () => string): string {
  if (format === "json") return `${JSON.stringify(data, null, 2)}\n`;
  if (format === "yaml") return stringify(data, { lineWidth: 0 });
  const text = table();
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

/** Lines with columns as wide as their widest cell. The last column is not padded. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const shown = rows.map((row) => row.map(printable));
  const widths = header.map((title, i) => Math.max(title.length, ...shown.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === cells.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join("   ");
  return [header, ...shown].map((cells) => line(cells).trimEnd()).join("\n");
}
