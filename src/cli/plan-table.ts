// The tables of `plan` and `prune` for people: what goes and why, what stays and why, and the totals.
import type { ImageVerdict, Plan } from "../decide/plan.ts";
import { shortHex } from "../image/digest.ts";
import { formatBytes, formatEstimate } from "../report/bytes.ts";
import type { PlanReport } from "../report/plan-json.ts";
import { imageTitle, shortened } from "./image-text.ts";
import { renderTable } from "./output.ts";
import { mainReason } from "./reason-words.ts";

/** A row for each image, the spare names that go below images that stay, and the totals. With `all`, a row for every name. */
export function planTable(plan: Plan, { all = false }: { readonly all?: boolean } = {}): string {
  if (plan.images.length === 0) return "there are no images here";
  const ordered = [...plan.images.filter(isDeleted), ...plan.images.filter((verdict) => !isDeleted(verdict))];
  const namespaces = new Set(plan.images.map(({ namespace }) => namespace)).size;
  const rows = ordered.flatMap((verdict) => (all ? nameRows(verdict, plan) : imageRowsOf(verdict, plan)));
  const table = renderTable(
    ["VERDICT", ...(namespaces > 1 ? ["NAMESPACE"] : []), "NAME", "IMAGE", "ALONE", "REASON"],
    rows.map(({ verdict, namespace, name, id, alone, why }) => [
      verdict,
      ...(namespaces > 1 ? [namespace] : []),
      name,
      id,
      alone,
      why,
    ]),
  );
  return `${table}\n\n${totals(plan)}`;
}

interface Row {
  readonly verdict: string;
  readonly namespace: string;
  readonly name: string;
  readonly id: string;
  readonly alone: string;
  readonly why: string;
}

function isDeleted({ action }: ImageVerdict): boolean {
  return action === "delete";
}

function imageRowsOf(verdict: ImageVerdict, { approximate }: Plan): Row[] {
  const { namespace, image, names, action, bytes } = verdict;
  const staying = names.filter((name) => name.action === "keep");
  const going = names.filter((name) => name.action === "untag");
  const shown = action === "delete" ? names : staying;
  const title = imageTitle(
    shown.map(({ name }) => name),
    image.id,
  );
  const base = { namespace, id: shortHex(image.id), alone: formatEstimate(bytes, approximate) };
  const spare = (name: ImageVerdict["names"][number]): Row => {
    return {
      verdict: "  untag",
      namespace: "",
      name: `  ${shortened(name.name)}`,
      id: "",
      alone: "",
      why: whyOf(name),
    };
  };
  const first = { ...base, verdict: action, name: title, why: mainReason(verdict.reasons) };
  return [first, ...(action === "delete" ? [] : going.map(spare))];
}

function nameRows({ namespace, image, names, action, bytes }: ImageVerdict, { approximate }: Plan): Row[] {
  return names.map((name, i) => ({
    verdict: name.action === "keep" ? "keep" : action === "delete" ? "delete" : "untag",
    namespace,
    name: name.name,
    id: shortHex(image.id),
    alone: i === 0 ? formatEstimate(bytes, approximate) : "",
    why: whyOf(name),
  }));
}

function whyOf({ reasons }: ImageVerdict["names"][number]): string {
  return mainReason(reasons);
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
  return [...lines, total].join("\n");
}

/** `1 image`, `2 images`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
