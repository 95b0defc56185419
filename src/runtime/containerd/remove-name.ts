// Removes one name, if it still points to what was planned.
import type { Digest } from "../../image/digest.ts";
import type { RemovalResult } from "../runtime.ts";
import { RuntimeError } from "../runtime-error.ts";
import { Images } from "./gen/containerd/services/images/v1/images_pb.js";
import type { Reading } from "./read-inventory.ts";
import { readName } from "./read-uses.ts";

export interface NameToRemove {
  readonly name: string;
  /** What the name has to point to. */
  readonly target: Digest;
  /** True when the daemon itself refuses to remove a name that points elsewhere: since 2.0. Older ones ignore the target. */
  readonly daemonCompares: boolean;
}

/**
 * Deletes, and says what the name has to point to. Daemons that do not compare by themselves are asked for the name first, and
 * a small race remains.
 */
export async function removeName(reading: Reading, wanted: NameToRemove): Promise<RemovalResult> {
  const { name, target, daemonCompares } = wanted;
  if (!daemonCompares) {
    const before = await readName(reading, name);
    if (!before) return "already-gone";
    if (before.target !== target) return "moved";
  }
  if (await deleteRecord(reading, name, target)) return "removed";
  // From a daemon that compares, "not found" also means that the name points to something else by now.
  return (await readName(reading, name)) ? "moved" : "already-gone";
}

async function deleteRecord({ connection, namespace, scope }: Reading, name: string, target: Digest): Promise<boolean> {
  try {
    await connection.collect({ operation: "delete image", namespace }, scope, {
      method: Images.method.delete,
      input: { name, sync: false, target: { digest: target } },
    });
    return true;
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "not-found") return false;
    throw error;
  }
}
