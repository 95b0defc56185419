// Measures what a removal really freed: the deleted images' content that the runtime no longer has.
import type { ImageVerdict } from "../decide/plan.ts";
import type { Digest } from "../image/digest.ts";
import type { CallOptions, ContainerRuntime } from "../runtime/runtime.ts";

/** Bytes of the images' blobs and layer snapshots that are gone. Each blob counts once, however many images shared it. */
export async function measureFreed(
  deleted: readonly ImageVerdict[],
  runtime: ContainerRuntime,
  options?: CallOptions,
): Promise<number> {
  const blobs = new Map<Digest, number>();
  const blobsLeft = new Set<Digest>();
  let bytes = 0;
  for (const [namespace, verdicts] of Map.groupBy(deleted, (verdict) => verdict.namespace)) {
    const own = new Map(verdicts.flatMap(({ image }) => image.blobs.map((blob) => [blob.digest, blob.size] as const)));
    const snapshots = new Map(verdicts.flatMap(({ image }) => image.snapshots.map((s) => [s.key, s.size] as const)));
    const left = await runtime.remaining(
      namespace,
      { blobs: [...own.keys()], snapshots: [...snapshots.keys()] },
      options,
    );
    for (const [digest, size] of own) blobs.set(digest, size);
    for (const digest of left.blobs) blobsLeft.add(digest);
    const snapshotsLeft = new Set(left.snapshots);
    for (const [key, size] of snapshots) if (!snapshotsLeft.has(key)) bytes += size;
  }
  for (const [digest, size] of blobs) if (!blobsLeft.has(digest)) bytes += size;
  return bytes;
}
