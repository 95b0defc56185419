// Makes a name for an image that has one already.
import type { CreationResult, NameRecord } from "../runtime.ts";
import { RuntimeError } from "../runtime-error.ts";
import type { Reading } from "./read-inventory.ts";
import { readName } from "./read-uses.ts";

/**
 * The daemon wants media type and size of the target, which the record of another name tells. That record also shows that
 * the content is still protected from collection.
 */
export async function createName(reading: Reading, { name, target, labels }: NameRecord): Promise<CreationResult> {
  const { connection, namespace, scope } = reading;
  const before = await readName(reading, name);
  if (before?.target === target) return "already-there";
  if (before) throw new RuntimeError("conflict", "create name", `${name} points to ${before.target}`);
  const filters = [`target.digest==${JSON.stringify(target)}`];
  const { images } = await connection.call(
    { operation: "list images", namespace, deadline: "list" },
    scope,
    (options) => connection.clients.images.list({ filters }, options),
  );
  const descriptor = images.find((record) => record.target?.digest === target)?.target;
  if (!descriptor) throw new RuntimeError("not-found", "create name", `no name points to ${target}`);
  await connection.call({ operation: "create image", namespace }, scope, (options) =>
    connection.clients.images.create({ image: { name, labels, target: descriptor } }, options),
  );
  return "created";
}
