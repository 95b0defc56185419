// What is in use now, and by whom: the memory of the next rounds.
import type { Digest } from "../image/digest.ts";
import { compareBytes } from "../image/order.ts";
import type { CurrentUses, Users } from "./history.ts";
import type { Reason } from "./reason.ts";
import type { Usage } from "./usage.ts";

/** The uses of one namespace: of images by content and by any of their names, and of names. */
export function currentUses({ users, images, named, names }: Usage): CurrentUses {
  const usedImages = new Map<Digest, Users>();
  for (const [target, reasons] of images) usedImages.set(target, usersOf(users, reasons, named.get(target)));
  for (const [target, reasons] of named) if (!images.has(target)) usedImages.set(target, usersOf(users, reasons));
  const usedNames = new Map<string, Users>();
  for (const [name, reasons] of names) usedNames.set(name, usersOf(users, reasons));
  return { images: usedImages, names: usedNames };
}

function usersOf(users: Usage["users"], ...lists: readonly (readonly Reason[] | undefined)[]): Users {
  const namespaces: string[] = [];
  let since: number | undefined;
  for (const reasons of lists) {
    for (const reason of reasons ?? []) {
      const user = users.get(reason);
      const { podNamespace } = user ?? {};
      if (podNamespace !== undefined && namespaces.at(-1) !== podNamespace) namespaces.push(podNamespace);
      if (user?.since !== undefined) since = Math.max(since ?? user.since, user.since);
    }
  }
  const sorted = namespaces.length < 2 ? namespaces : [...new Set(namespaces)].sort(compareBytes);
  return since === undefined ? { namespaces: sorted } : { namespaces: sorted, since };
}
