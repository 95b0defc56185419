// One name, or one image, as it is now.
import type { Digest } from "../../image/digest.ts";
import type { ImageName, ImageStore, Instant } from "../../image/node-state.ts";
import type { CallOptions } from "../runtime.ts";
import type { Engine } from "./engine.ts";
import { askFor, inPath, namesOf, standInName } from "./names.ts";
import { imageDetail } from "./schema.ts";

/** An image and all that it is known by. */
export interface FoundImage {
  readonly target: Digest;
  /** Every name that is stored; empty for a dangling image. */
  readonly names: readonly string[];
  readonly store: ImageStore;
  /** When the names were last written, where the engine tells. */
  readonly recordedAt: Instant | undefined;
}

/** A name and its image. */
export interface FoundName extends FoundImage {
  readonly name: ImageName;
}

/** Looks an image up, by whatever the engine finds it by. */
export async function findImage(
  engine: Engine,
  reference: string,
  options?: CallOptions,
): Promise<FoundImage | undefined> {
  const { imageStore: store, lists } = await engine.facts(options);
  const call = { operation: "find name", path: `/images/${inPath(askFor(reference))}/json` };
  const detail = await engine.find(imageDetail, call, options);
  if (detail === undefined) return undefined;
  const recordedAt = store === "containerd" ? detail.Metadata?.LastTagTime : undefined;
  return { target: detail.Id, names: namesOf(detail, lists), store, recordedAt };
}

/** Looks a name up. The engine also finds images by IDs and digests: what it finds must really bear the name. */
export async function findName(engine: Engine, name: string, options?: CallOptions): Promise<FoundName | undefined> {
  const found = await findImage(engine, name, options);
  if (found === undefined || !bears(name, found)) return undefined;
  const { target, recordedAt } = found;
  const createdAt = recordedAt === undefined ? {} : { createdAt: recordedAt };
  return { ...found, name: { name, target, ...createdAt, labels: {} } };
}

/** An image without any name bears the one that stands for it. */
function bears(name: string, { target, names }: FoundImage): boolean {
  return names.includes(name) || (names.length === 0 && name === standInName(target));
}
