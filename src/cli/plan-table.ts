// The tables of `plan` and `prune` for people: what goes and why, what stays and why, and the totals.
import type { Plan } from "../decide/plan.ts";
import { shortHex } from "../image/digest.ts";
import { formatBytes } from "../report/bytes.ts";
import type { PlanReport } from "../report/plan-json.ts";
import { renderTable } from "./output.ts";

/** The verdicts on every name, then the totals. */
export function planTable(plan: Plan): string {
  const rows = plan.images.flatMap((verdict) =>
    verdict.names.map((name, i) => [
      name.action === "keep" ? "keep" : verdict.action === "delete" ? "delete" : "untag",
      name.name,
      shortHex(verdict.image.id),
      i === 0 ? formatBytes(verdict.bytes) : "",
      name.reasons[0] === undefined ? "" : `${name.reasons[0].code}: ${name.reasons[0].detail}`,
    ]),
  );
  const going = rows.filter((row) => row[0] !== "keep");
  const staying = rows.filter((row) => row[0] === "keep");
  const images = plan.images.filter(({ action }) => action === "delete").length;
  const total = `${count(images, "image")} and ${count(going.length, "name")} would go, ${count(staying.length, "name")} stay; ${formatBytes(plan.plannedBytes)} would be freed`;
  if (rows.length === 0) return "there are no images here";
  return `${renderTable(["VERDICT", "NAME", "IMAGE", "ALONE", "REASON"], [...going, ...staying])}\n\n${total}`;
}

/** What a round did. */
export function outcomeTable(report: PlanReport): string {
  const lines = [
    ...report.untagged.map((name) => `untagged  ${name}`),
    ...report.deleted.map((id) => `deleted   ${id}`),
    ...report.leftAlone.map(({ name, result, message }) => `left      ${name} (${result}: ${message})`),
    ...report.failed.map(({ name, reason, message }) => `failed    ${name} (${reason}: ${message})`),
  ];
  const total = `${count(report.untagged.length, "name")} untagged, ${count(report.deleted.length, "image")} deleted, ${formatBytes(report.reclaimedBytes)} freed (planned ${formatBytes(report.plannedBytes)})`;
  return [...lines, total].join("\n");
}

/** `1 image`, `2 images`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
