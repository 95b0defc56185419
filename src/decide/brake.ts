// Limits on how much one plan removes: filters over what was chosen.
import type { BrakeLimits } from "./policy.ts";

/** `max-removals` and `max-fraction` cut a plan; `backoff` says that images wait because their removal failed. */
export type BrakeCode = "max-removals" | "max-fraction" | "backoff";

/** A limit that acted. */
export interface Brake {
  readonly code: BrakeCode;
  /** One line for people: the limit and what it held back. */
  readonly detail: string;
  /** Images that stay because of it. */
  readonly images: number;
}

/** What a cut leaves, and the limits that made it. */
export interface Cut<Item> {
  readonly kept: readonly Item[];
  readonly cut: readonly Item[];
  readonly brakes: readonly Brake[];
}

/** Leaves as many of the first items as the limits allow. `total` is the number of images on the node. */
export function applyBrakes<Item>(
  items: readonly Item[],
  { maxRemovals, maxFraction }: BrakeLimits,
  total: number,
): Cut<Item> {
  const limits = [
    ...(maxRemovals === undefined
      ? []
      : [{ code: "max-removals" as const, allowed: maxRemovals, rule: `${maxRemovals} in one round` }]),
    ...(maxFraction === undefined
      ? []
      : [
          {
            code: "max-fraction" as const,
            allowed: shareOf(total, maxFraction),
            rule: `${percent(maxFraction)} of the ${total} images in one round`,
          },
        ]),
  ];
  const acting = limits.filter(({ allowed }) => allowed < items.length);
  const allowed = Math.min(items.length, ...acting.map((limit) => limit.allowed));
  const brakes = acting.map(({ code, allowed: most, rule }): Brake => {
    const images = items.length - most;
    return { code, detail: `${images} of ${items.length} images wait: at most ${rule}`, images };
  });
  return { kept: items.slice(0, allowed), cut: items.slice(allowed), brakes };
}

/** Whole images. Shares such as 0.07 of 100 are not exact as numbers and must not lose an image. */
function shareOf(total: number, fraction: number): number {
  return Math.floor(total * fraction + 1e-9);
}

function percent(fraction: number): string {
  return `${Number((fraction * 100).toFixed(2))}%`;
}
