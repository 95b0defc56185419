// What is in use now, and by whom: the memory of the next rounds.
import type { Digest } from "../image/digest.ts";
import type { Instant } from "../image/node-state.ts";
import { compareBytes } from "../image/order.ts";
import type { CurrentUses, Users } from "./history.ts";
import type { Reason } from "./reason.ts";
import type { Usage } from "./usage.ts";
import { Use } from "./use.ts";

/** The uses of one namespace: of images by content and by any of their names, and of names. */
export function currentUses({ images, named, names }: Usage): CurrentUses {
  const usedImages = new Map<Digest, Users>();
  for (const [target, reasons] of images) usedImages.set(target, usersOf(reasons, named.get(target)));
  for (const [target, reasons] of named) if (!images.has(target)) usedImages.set(target, usersOf(reasons));
  const usedNames = new Map<string, Users>();
  for (const [name, reasons] of names) usedNames.set(name, usersOf(reasons));
  return { images: usedImages, names: usedNames };
}

function usersOf(reasons: readonly Reason[], others: readonly Reason[] = none): Users {
  let namespaces = nowhere;
  let since: number | undefined;
  for (const list of [reasons, others]) {
    for (const use of list) {
      if (!(use instanceof Use)) continue;
      namespaces = withNamespace(namespaces, use.podNamespace);
      since = later(since, use.since);
    }
  }
  const sorted = namespaces.length < 2 ? namespaces : namespaces.toSorted(compareBytes);
  return since === undefined ? { namespaces: sorted } : { namespaces: sorted, since };
}

const nowhere: readonly string[] = [];

/** Pods of few namespaces use one image. */
function withNamespace(namespaces: readonly string[], one: string | undefined): readonly string[] {
  return one === undefined || namespaces.includes(one) ? namespaces : [...namespaces, one];
}

const none: readonly Reason[] = [];

function later(one: Instant | undefined, other: Instant | undefined): Instant | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.max(one, other);
}
