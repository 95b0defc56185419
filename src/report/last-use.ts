// When something used an image last, as far as it was seen: what reports say of it.
import type { ImageVerdict, Plan } from "../decide/plan.ts";

/**
 * ISO 8601; null when no use of the image was ever seen. What a plan counts from is then the first sight of the image, or the
 * record of its names: no use, and not to be called one.
 */
export function lastUseSeen(verdict: ImageVerdict, plan: Pick<Plan, "takenAt" | "uses"> | undefined): string | null {
  const { namespace, image, timesUsed = 0, lastUsed } = verdict;
  if (plan?.uses.get(namespace)?.images.has(image.target)) return new Date(plan.takenAt).toISOString();
  return timesUsed === 0 || lastUsed === undefined ? null : new Date(lastUsed).toISOString();
}
