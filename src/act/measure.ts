// Measures what a removal really freed: by the content that is gone, or by the space that images take where content is not told.
import type { ImageVerdict } from "../decide/plan.ts";
import type { Digest } from "../image/digest.ts";
import type { Instant } from "../image/node-state.ts";
import type { Clock } from "../observe/clock.ts";
import type { CallOptions, ContainerRuntime } from "../runtime/runtime.ts";
import { RuntimeError } from "../runtime/runtime-error.ts";

/** Says what was freed since it was made. */
export interface FreedMeter {
  /** Bytes, never below 0. When `patience` fires, what is known by then has to do. */
  freedBy(deleted: readonly ImageVerdict[], options: CallOptions, patience?: AbortSignal): Promise<number>;
}

/** Made before the first removal: where the space is measured, this is when it is measured for the first time. */
export async function createFreedMeter(
  runtime: ContainerRuntime,
  clock: Clock,
  options: CallOptions,
): Promise<FreedMeter> {
  if (runtime.capabilities.exactBytes) {
    return { freedBy: (deleted, given) => freedContent(deleted, runtime, given) };
  }
  const before = await usedNow(runtime, clock, options).catch(ignoreRuntimeError);
  return {
    async freedBy(deleted, given, patience) {
      if (deleted.length === 0 || before === undefined) return 0;
      const after = await settledUse({ runtime, clock, patience }, given);
      // Two counts of different things tell nothing: a runtime may be too slow to count its images the second time.
      if (after?.of !== before.of) return 0;
      return Math.max(0, before.bytes - after.bytes);
    },
  };
}

/** Bytes of the images' blobs and layer snapshots that are gone. Each blob counts once, however many images shared it. */
async function freedContent(
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

interface Use {
  readonly of: "images" | "filesystems";
  readonly bytes: number;
  readonly countedAt: Instant;
  readonly exactNow?: boolean;
}

/** What images take; what the whole filesystems hold where the runtime does not count images. */
async function usedNow(runtime: ContainerRuntime, clock: Clock, options: CallOptions): Promise<Use | undefined> {
  const counted = await runtime.imageUsage(options);
  if (counted !== undefined) return { of: "images", ...counted };
  const filesystems = await runtime.filesystems(options);
  if (filesystems.length === 0) return undefined;
  const bytes = filesystems.reduce((sum, { usedBytes }) => sum + usedBytes, 0);
  return { of: "filesystems", bytes, countedAt: clock.now() };
}

/** Milliseconds between two looks, and after which the last one has to do: containerd counts every 10 s. */
const lookAgainAfter = 500;
const settlesWithin = 20_000;

interface Settling {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly patience: AbortSignal | undefined;
}

/** Runtimes free and count later than they answer: looked at until two counts made after the removal are the same. */
async function settledUse({ runtime, clock, patience }: Settling, options: CallOptions): Promise<Use | undefined> {
  const removedAt = clock.now();
  const until = clock.elapsed() + settlesWithin;
  let use = await usedNow(runtime, clock, options);
  for (let last: Use | undefined; !isSettled(use, last, removedAt); ) {
    if (clock.elapsed() >= until) break;
    await clock.sleep(lookAgainAfter, patience);
    if (patience?.aborted) break;
    last = use;
    use = await usedNow(runtime, clock, options);
  }
  return use;
}

function isSettled(use: Use | undefined, last: Use | undefined, removedAt: Instant): boolean {
  if (use === undefined || use.exactNow === true) return true;
  return last !== undefined && last.countedAt >= removedAt && last.bytes === use.bytes;
}

function ignoreRuntimeError(error: unknown): undefined {
  if (error instanceof RuntimeError) return undefined;
  throw error;
}
