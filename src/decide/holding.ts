// What holds the space of a filesystem when a plan has done what it may: for the people who are told that it did not suffice.
import { type ImageState, SeenContent, stateOf } from "./inventory.ts";
import type { ImageVerdict, Plan } from "./plan.ts";

/** Bytes by what holds them, each counted once; what an image in use needs counts as in use. */
export interface Holding {
  readonly inUse: number;
  readonly pinned: number;
  /** Too young to go. */
  readonly young: number;
  /** Every other reason to stay, limits on removals included. */
  readonly kept: number;
  /** Used bytes that belong to no image. */
  readonly other: number;
}

type Holder = Exclude<keyof Holding, "other">;

/** Distributes the used bytes of the filesystem that holds the images. */
export function holdingOf(plan: Plan, usedBytes: number): Holding {
  const counted = new SeenContent();
  const byHolder = Map.groupBy(plan.images, (verdict) => holderOf(verdict, stateOf(verdict, plan)));
  const bytes = { inUse: 0, pinned: 0, young: 0, kept: 0 };
  for (const holder of ["inUse", "pinned", "young", "kept"] as const) {
    for (const verdict of byHolder.get(holder) ?? []) bytes[holder] += counted.add(verdict);
  }
  const ofImages = bytes.inUse + bytes.pinned + bytes.young + bytes.kept;
  return { ...bytes, other: Math.max(0, usedBytes - ofImages) };
}

function holderOf({ reasons, action }: ImageVerdict, state: ImageState): Holder | undefined {
  if (action === "delete") return undefined;
  if (state === "in_use") return "inUse";
  if (reasons.some(({ code }) => code === "pinned")) return "pinned";
  return reasons.some(({ code }) => code === "too-young") ? "young" : "kept";
}
