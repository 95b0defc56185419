// Makes a tag for an image that is there.
import { parseReference, repositoryOf, tryParseReference } from "../../image/reference.ts";
import type { CallOptions, CreationResult, NameRecord } from "../runtime.ts";
import { RuntimeError } from "../runtime-error.ts";
import type { Engine } from "./engine.ts";
import { findName } from "./find-name.ts";
import { inPath } from "./names.ts";

const operation = "create name";

/** Makes the name. The engine keeps no labels of names. */
export async function createName(
  engine: Engine,
  { name, target }: NameRecord,
  options?: CallOptions,
): Promise<CreationResult> {
  const reference = tryParseReference(name);
  if (reference?.tag === undefined || reference.digest !== undefined) {
    const message = `a Docker Engine makes tags only, and ${name} is none: remove the container that uses the image first`;
    throw new RuntimeError("unsupported", operation, message);
  }
  const found = await findName(engine, name, options);
  if (found?.name.target === target) return "already-there";
  if (found !== undefined) {
    throw new RuntimeError("conflict", operation, `${name} points to ${found.name.target} already`);
  }
  const query = new URLSearchParams({ repo: repositoryOf(parseReference(name)), tag: reference.tag });
  await engine.call({ operation, method: "POST", path: `/images/${inPath(target)}/tag?${query}` }, options);
  return "created";
}
