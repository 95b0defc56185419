// How much of the disk images take, and where it is.
import type { CallOptions, ImageUsage } from "../runtime.ts";
import type { Address } from "./endpoint.ts";
import type { Engine, EngineFacts } from "./engine.ts";
import { listImages } from "./images.ts";
import { diskUsage, type ImageSummary } from "./schema.ts";
import { isAtLeast } from "./version.ts";

/** Containerd's folder and socket unless it is told otherwise. */
const containerdFolder = "/var/lib/containerd";
const containerdSocket = "/run/containerd/containerd.sock";

/**
 * Bytes of all layers, each once, and in the containerd image store of what they were unpacked from. Before API 1.42 the
 * engine can only be asked for everything at once, containers and volumes too, which takes minutes on a busy host: then unknown.
 */
export async function readUsage(engine: Engine, options?: CallOptions): Promise<ImageUsage | undefined> {
  const facts = await engine.facts(options);
  if (!isAtLeast(facts.api, "1.42")) return undefined;
  const call = { operation: "disk usage", path: "/system/df?type=image", deadline: "list" } as const;
  const { LayersSize } = await engine.get(diskUsage, call, options);
  if (!LayersSize) return undefined;
  const content = facts.imageStore === "containerd" ? contentBytes(await listImages(engine, facts, options)) : 0;
  return { bytes: LayersSize + content, countedAt: Date.now() };
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
