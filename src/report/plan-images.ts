// The images of a plan, one by one, as JSON: the verdict, why, what it frees, how old it is. Field names are an interface.
import type { Plan } from "../decide/plan.ts";
import type { Reason } from "../decide/reason.ts";
import { lastUseSeen } from "./last-use.ts";

export interface PlanImage {
  readonly namespace: string;
  /** The image ID. */
  readonly id: string;
  readonly target: string;
  readonly verdict: "delete" | "keep";
  readonly reasons: readonly Reason<string>[];
  /** Names that stay and names that go. */
  readonly names: { readonly keep: readonly string[]; readonly untag: readonly string[] };
  /** Bytes that removing it alone would free. */
  readonly aloneBytes: number;
  /** Bytes that it frees in this plan, after all that goes before it; 0 when it stays. */
  readonly plannedBytes: number;
  readonly inUse: boolean;
  /** ISO 8601; null when no use of it was ever seen. */
  readonly lastUsed: string | null;
  /** Milliseconds since it was pulled or first seen; null when it is not known. */
  readonly ageMs: number | null;
}

/** Every image, those that go first, in the order in which they go. */
export function planImages(plan: Plan): PlanImage[] {
  const { images, uses } = plan;
  return images.map((verdict) => ({
    namespace: verdict.namespace,
    id: verdict.image.id,
    target: verdict.image.target,
    verdict: verdict.action,
    reasons: verdict.reasons,
    names: {
      keep: verdict.names.flatMap(({ action, name }) => (action === "keep" ? [name] : [])),
      untag: verdict.names.flatMap(({ action, name }) => (action === "untag" ? [name] : [])),
    },
    aloneBytes: verdict.bytes,
    plannedBytes: verdict.action === "delete" ? verdict.bytesInPlan : 0,
    inUse: uses.get(verdict.namespace)?.images.has(verdict.image.target) ?? false,
    lastUsed: lastUseSeen(verdict, plan),
    ageMs: verdict.age ?? null,
  }));
}
