// What is in use now, and by whom: the memory of the next rounds.
import type { Digest } from "../image/digest.ts";
import { compareBytes } from "../image/order.ts";
import type { CurrentUses, Users } from "./history.ts";
import type { ImageIndex } from "./image-index.ts";
import type { Reason } from "./reason.ts";
import type { Usage } from "./usage.ts";

/** The uses of one namespace: of images by content and by any of their names, and of names. */
export function currentUses(usage: Usage, index: ImageIndex): CurrentUses {
  const ofImages = new Map<Digest, readonly Reason[]>(usage.images);
  for (const [name, reasons] of usage.names) {
    const target = index.nameOf(name)?.target;
    if (target !== undefined) ofImages.set(target, [...(ofImages.get(target) ?? []), ...reasons]);
  }
  const users = <Key>([key, reasons]: [Key, readonly Reason[]]): [Key, Users] => [key, usersOf(reasons, usage)];
  return { images: new Map([...ofImages].map(users)), names: new Map([...usage.names].map(users)) };
}

function usersOf(reasons: readonly Reason[], usage: Usage): Users {
  const namespaces = new Set<string>();
  let since: number | undefined;
  for (const reason of reasons) {
    const user = usage.users.get(reason);
    if (user?.podNamespace !== undefined) namespaces.add(user.podNamespace);
    if (user?.since !== undefined) since = Math.max(since ?? user.since, user.since);
  }
  const sorted = [...namespaces].sort(compareBytes);
  return since === undefined ? { namespaces: sorted } : { namespaces: sorted, since };
}
