// What a plan says about the node as numbers: images, names and bytes by state. Pure; feeds gauges and totals.
import type { Digest } from "../image/digest.ts";
import { classifyName, type NameKind } from "./name-kind.ts";
import type { ImageVerdict, Plan } from "./plan.ts";

/** `in_use`: something uses it. `kept`: nothing does, but a rule keeps it. `removable`: the plan removes it. */
export type ImageState = "in_use" | "kept" | "removable";

export interface Inventory {
  readonly images: Readonly<Record<ImageState, number>>;
  /** Bytes, each counted once: content that an image in use needs counts as in use, the rest as kept before removable. */
  readonly bytes: Readonly<Record<ImageState, number>>;
  readonly names: Readonly<Record<NameKind, number>>;
}

/** Counts what a plan holds. */
export function takeInventory(plan: Plan): Inventory {
  const images = { in_use: 0, kept: 0, removable: 0 };
  const bytes = { in_use: 0, kept: 0, removable: 0 };
  const names: Record<NameKind, number> = { tag: 0, "digest-reference": 0, id: 0, dangling: 0, other: 0 };
  const seen = new SeenContent();
  const byState = Map.groupBy(plan.images, (verdict) => stateOf(verdict, plan));
  for (const state of ["in_use", "kept", "removable"] as const) {
    for (const verdict of byState.get(state) ?? []) {
      images[state] += 1;
      bytes[state] += seen.add(verdict);
      for (const name of verdict.names) names[classifyName(name).kind] += 1;
    }
  }
  return { images, bytes, names };
}

/** The state of one image under a plan. */
export function stateOf(verdict: ImageVerdict, plan: Plan): ImageState {
  if (verdict.action === "delete") return "removable";
  return plan.uses.get(verdict.namespace)?.images.has(verdict.image.target) ? "in_use" : "kept";
}

/** Content that was counted already, so that what images share is counted once. */
export class SeenContent {
  readonly #blobs = new Set<Digest>();
  readonly #snapshots = new Map<string, Set<string>>();

  /** Bytes of the image's content that was not seen before. */
  add({ namespace, image }: ImageVerdict): number {
    let bytes = 0;
    for (const { digest, size } of image.blobs) bytes += addOnce(this.#blobs, digest) ? size : 0;
    const snapshots = this.#snapshots.get(namespace) ?? new Set();
    this.#snapshots.set(namespace, snapshots);
    for (const { key, size } of image.snapshots) bytes += addOnce(snapshots, key) ? size : 0;
    return bytes;
  }
}

function addOnce<Value>(set: Set<Value>, value: Value): boolean {
  if (set.has(value)) return false;
  set.add(value);
  return true;
}
