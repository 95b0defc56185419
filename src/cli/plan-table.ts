// The tables of `plan` and `prune` for people: what goes and why, what stays and why, and the totals.
import type { ImageVerdict, Plan } from "../decide/plan.ts";
import { formatBytes, formatEstimate } from "../report/bytes.ts";
import type { PlanReport } from "../report/plan-json.ts";
import { printable } from "../report/printable.ts";
import { renderTable } from "./output.ts";
import { imageRows, nameRows } from "./plan-rows.ts";

/** A row for each image, the spare names that go below images that stay, and the totals. With `all`, a row for every name. */
export function planTable(plan: Plan, { all = false }: { readonly all?: boolean } = {}): string {
  if (plan.images.length === 0) return "there are no images here";
  const ordered = [...plan.images.filter(isDeleted), ...plan.images.filter((verdict) => !isDeleted(verdict))];
  const namespaces = new Set(plan.images.map(({ namespace }) => namespace)).size;
  const rows = ordered.flatMap((verdict) => (all ? nameRows(verdict, plan) : imageRows(verdict, plan)));
  const table = renderTable(
    [
      "VERDICT",
      ...(namespaces > 1 ? ["NAMESPACE"] : []),
      "NAME",
      "IMAGE",
      "ALONE",
      "IN PLAN",
      "AGE",
      "UNUSED",
      "REASON",
    ],
    rows.map(({ verdict, namespace, name, id, alone, inPlan, age, unused, why }) => [
      verdict,
      ...(namespaces > 1 ? [namespace] : []),
      ...[name, id, alone, inPlan, age, unused, why],
    ]),
  );
  return [table, "", ...circumstances(plan), totals(plan)].join("\n");
}

function isDeleted({ action }: ImageVerdict): boolean {
  return action === "delete";
}

/** What made the plan other than its rules alone would have made it. */
function circumstances({ demand, shortfall, brakes, approximate }: Plan): string[] {
  const missing = shortfall > 0 ? `; ${formatEstimate(shortfall, approximate)} of it cannot be found` : "";
  return [
    ...(demand === undefined || demand.mode === "routine"
      ? []
      : [`${demand.mode}: ${demand.because}; ${formatBytes(demand.bytes)} are needed${missing}`]),
    ...(demand === undefined && shortfall > 0
      ? [`over budget: ${formatEstimate(shortfall, approximate)} more than policy.maxImageBytes stay`]
      : []),
    ...brakes.map(({ detail }) => `held back: ${detail}`),
  ];
}

function totals({ images, plannedBytes, approximate }: Plan): string {
  const names = images.flatMap((verdict) => verdict.names);
  const going = names.filter(({ action }) => action === "untag").length;
  const deleted = images.filter(isDeleted).length;
  const kept = `${count(images.length - deleted, "image")} and ${count(names.length - going, "name")} stay`;
  const bytes = formatEstimate(plannedBytes, approximate);
  return `${count(deleted, "image")} and ${count(going, "name")} would go, ${kept}; ${bytes} would be freed`;
}

/** What a round did. */
export function outcomeTable(report: PlanReport): string {
  const lines = [
    ...report.untagged.map((name) => `untagged  ${name}`),
    ...report.deleted.map((id) => `deleted   ${id}`),
    ...report.leftAlone.map(({ name, result, message }) => `left      ${name} (${result}: ${message})`),
    ...report.failed.map(({ name, reason, message }) => `failed    ${name} (${reason}: ${message})`),
  ];
  const planned = formatEstimate(report.plannedBytes, report.approximateBytes === true);
  const freed = `${formatBytes(report.reclaimedBytes)} freed (planned ${planned})`;
  const total = `${count(report.untagged.length, "name")} untagged, ${count(report.deleted.length, "image")} deleted, ${freed}`;
  return [...lines, total].map(printable).join("\n");
}

/** `1 image`, `2 images`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
