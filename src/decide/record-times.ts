// Whether anything that is decided depends on when names were recorded. Some runtimes tell that image by image only.
import type { PlanInput } from "./plan.ts";

/** False when a plan comes out the same without the times. Without them, ages that are shown count from the first sight. */
export function dependsOnRecordTimes({ policy, history }: Pick<PlanInput, "policy" | "history">): boolean {
  const { minAge, keepPerRepository, until, order } = policy;
  if (minAge > 0 || keepPerRepository > 0 || until.length > 0) return true;
  return order !== "least-recently-used" || history.unknown === "record-time";
}
