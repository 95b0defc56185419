// One name as it is now.
import type { Digest } from "../../image/digest.ts";
import { isDanglingName } from "../../image/image-id.ts";
import type { ImageName, ImageStore } from "../../image/node-state.ts";
import type { CallOptions } from "../runtime.ts";
import type { Engine } from "./engine.ts";
import { askFor, inPath, namesOf } from "./names.ts";
import { imageDetail } from "./schema.ts";

/** A name and all that its image is known by. */
export interface FoundName {
  readonly name: ImageName;
  /** Every name of the image. */
  readonly names: readonly string[];
  readonly store: ImageStore;
}

/** Looks a name up. The engine also finds images by IDs and digests: what it finds must really bear the name. */
export async function findName(engine: Engine, name: string, options?: CallOptions): Promise<FoundName | undefined> {
  const { imageStore: store, lists } = await engine.facts(options);
  const call = { operation: "find name", path: `/images/${inPath(askFor(name))}/json` };
  const detail = await engine.find(imageDetail, call, options);
  if (detail === undefined) return undefined;
  const names = namesOf(detail, lists);
  if (!bears(name, detail.Id, names)) return undefined;
  const at = store === "containerd" ? detail.Metadata?.LastTagTime : undefined;
  const createdAt = at === undefined ? {} : { createdAt: at };
  return { name: { name, target: detail.Id, ...createdAt, labels: {} }, names, store };
}

/** An image without any name bears the one that stands for it. */
function bears(name: string, id: Digest, names: readonly string[]): boolean {
  return names.includes(name) || (names.length === 0 && isDanglingName(name, id));
}
