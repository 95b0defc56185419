// How much of the disk images take, and where it is.
import type { CallOptions, ImageUsage } from "../runtime.ts";
import { RuntimeError } from "../runtime-error.ts";
import type { Address } from "./endpoint.ts";
import type { Engine, EngineFacts } from "./engine.ts";
import { listImages } from "./images.ts";
import { diskUsage, type ImageSummary } from "./schema.ts";
import { isAtLeast } from "./version.ts";

/** Containerd's folder and socket unless it is told otherwise. */
const containerdFolder = "/var/lib/containerd";
const containerdSocket = "/run/containerd/containerd.sock";

/**
 * Bytes of all layers, each once, and in the containerd image store of what they were unpacked from. Podman does not count
 * layers: there the sizes of all images are added up. Undefined where the engine does not tell in time: before API 1.42 it can
 * only be asked for everything at once, volumes included.
 */
export async function readUsage(engine: Engine, options?: CallOptions): Promise<ImageUsage | undefined> {
  const facts = await engine.facts(options);
  if (facts.product === "podman") return usage(sizesOf(await listImages(engine, facts, {}, options)));
  const isContainerd = facts.imageStore === "containerd";
  // Each of the two takes a second or more on a full host.
  const [layers, content] = await Promise.all([
    readLayers(engine, facts, options),
    isContainerd ? listImages(engine, facts, { platforms: true }, options).then(contentBytes) : 0,
  ]);
  return layers === undefined ? undefined : usage(layers + content);
}

async function readLayers(engine: Engine, { api }: EngineFacts, options?: CallOptions): Promise<number | undefined> {
  const path = isAtLeast(api, "1.42") ? "/system/df?type=image" : "/system/df";
  try {
    const { LayersSize } = await engine.get(diskUsage, { operation: "disk usage", path, deadline: "list" }, options);
    return LayersSize ?? undefined;
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "timeout" && options?.signal?.aborted !== true)
      return undefined;
    throw error;
  }
}

function usage(bytes: number): ImageUsage {
  return { bytes, countedAt: Date.now(), exactNow: true };
}

function sizesOf(images: readonly ImageSummary[]): number {
  return images.reduce((sum, { Size }) => sum + (Size ?? 0), 0);
}

/** Of every platform's manifest once. Engines before API 1.47 do not tell. */
function contentBytes(images: readonly ImageSummary[]): number {
  const manifests = images.flatMap(({ Manifests }) => Manifests ?? []);
  const sizes = new Map(manifests.map(({ ID, Size }) => [ID, Size?.Content ?? 0]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

/** The folders that hold images, on this machine. Behind TCP the engine may be anywhere. */
export function storageFolders(
  { imageStore, containerd, rootFolder }: EngineFacts,
  address: Address,
): readonly string[] {
  if (address.kind === "tcp") return [];
  const isDefault = containerd === undefined || containerd === containerdSocket;
  const folders = imageStore === "containerd" && isDefault ? [containerdFolder, rootFolder] : [rootFolder];
  return folders.filter((folder) => folder.startsWith("/"));
}
