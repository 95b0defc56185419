// Removes one name, if it still points to what was planned.
import type { Digest } from "../../image/digest.ts";
import type { RemovalResult } from "../runtime.ts";
import { RuntimeError } from "../runtime-error.ts";
import type { Reading } from "./read-inventory.ts";
import { readName } from "./read-uses.ts";

/**
 * Reads the name, compares, deletes; the delete names the target too. The daemon compares by itself only since 2.0 and ignores
 * the target before, so both are needed, and before 2.0 a small race remains.
 */
export async function removeName(reading: Reading, name: string, target: Digest): Promise<RemovalResult> {
  const before = await readName(reading, name);
  if (!before) return "already-gone";
  if (before.target !== target) return "moved";
  if (await deleteRecord(reading, name, target)) return "removed";
  // Since 2.0 "not found" also means that the name points to something else by now.
  return (await readName(reading, name)) ? "moved" : "already-gone";
}

async function deleteRecord({ connection, namespace, scope }: Reading, name: string, target: Digest): Promise<boolean> {
  try {
    await connection.call({ operation: "delete image", namespace }, scope, (options) =>
      connection.clients.images.delete({ name, sync: false, target: { digest: target } }, options),
    );
    return true;
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "not-found") return false;
    throw error;
  }
}
