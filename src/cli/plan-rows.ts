// The rows of a plan's table: one for each image, or one for each name.
import { describeDuration } from "../decide/duration.ts";
import type { ImageVerdict, NameVerdict, Plan } from "../decide/plan.ts";
import { shortHex } from "../image/digest.ts";
import { formatEstimate } from "../report/bytes.ts";
import { imageTitle, shortened } from "./image-text.ts";
import { mainReason } from "./reason-words.ts";

export interface PlanRow {
  readonly verdict: string;
  readonly namespace: string;
  readonly name: string;
  readonly id: string;
  /** Bytes that the image frees alone, and in this plan. */
  readonly alone: string;
  readonly inPlan: string;
  readonly age: string;
  readonly unused: string;
  readonly why: string;
}

const nothing = { namespace: "", id: "", alone: "", inPlan: "", age: "", unused: "" };

/** A row for the image, and below it one for each name that goes from an image that stays. */
export function imageRows(verdict: ImageVerdict, plan: Plan): PlanRow[] {
  const { names, action, image } = verdict;
  const going = names.filter((name) => name.action === "untag");
  const shown = action === "delete" ? names : names.filter((name) => name.action === "keep");
  const title = imageTitle(
    shown.map(({ name }) => name),
    image.id,
  );
  const first = { ...factsOf(verdict, plan), verdict: action, name: title, why: mainReason(verdict.reasons) };
  return [first, ...(action === "delete" ? [] : going.map(spareRow))];
}

/** A row for every name, in full. */
export function nameRows(verdict: ImageVerdict, plan: Plan): PlanRow[] {
  const facts = factsOf(verdict, plan);
  const { namespace, id } = facts;
  return verdict.names.map((name, i) => ({
    ...(i === 0 ? facts : { ...nothing, namespace, id }),
    verdict: name.action === "keep" ? "keep" : verdict.action === "delete" ? "delete" : "untag",
    name: name.name,
    why: mainReason(name.reasons),
  }));
}

function spareRow({ name, reasons }: NameVerdict): PlanRow {
  return { ...nothing, verdict: "  untag", name: `  ${shortened(name)}`, why: mainReason(reasons) };
}

function factsOf(verdict: ImageVerdict, plan: Plan): Omit<PlanRow, "verdict" | "name" | "why"> {
  const { namespace, image, action, bytes, bytesInPlan, age } = verdict;
  return {
    namespace,
    id: shortHex(image.id),
    alone: formatEstimate(bytes, plan.approximate),
    inPlan: action === "delete" ? formatEstimate(bytesInPlan, plan.approximate) : "",
    age: age === undefined ? "" : describeDuration(Math.max(0, age)),
    unused: unusedText(verdict, plan),
  };
}

function unusedText(verdict: ImageVerdict, plan: Plan): string {
  if (plan.uses.get(verdict.namespace)?.images.has(verdict.image.target)) return "in use";
  const { lastUsed } = verdict;
  return lastUsed === undefined ? "" : describeDuration(Math.max(0, plan.takenAt - lastUsed));
}
