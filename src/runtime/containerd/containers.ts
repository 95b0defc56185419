// From container records, CRI's view and the snapshots to the containers of a namespace. Pure.
import { type Digest, isDigest } from "../../image/digest.ts";
import type { Container, ContainerState } from "../../image/node-state.ts";
import type { CriView } from "../cri/cri-link.ts";
import type { CriSandbox, CriUse } from "../cri/use.ts";
import type { ContainerRecord } from "./container-records.ts";
import type { Lease } from "./held.ts";
import type { WritableSnapshots } from "./writable-snapshots.ts";

/** Says which images something stands on. */
export interface ImageResolver {
  /** Targets of the images whose topmost layer has this chain ID. */
  targetsOfChain(chainId: string): readonly Digest[];
  /** What the name points to now. */
  targetOfName(name: string): Digest | undefined;
}

/** Everything that tells about the containers of one namespace. */
export interface ContainerSources {
  readonly records: readonly ContainerRecord[];
  readonly states: ReadonlyMap<string, ContainerState>;
  readonly cri: CriView | undefined;
  readonly writable: WritableSnapshots;
  readonly leases: readonly Lease[];
  readonly resolver: ImageResolver;
}

/** Every use of an image that the runtime knows of. */
export function describeContainers(sources: ContainerSources): readonly Container[] {
  const known = new Set(sources.records.map((record) => record.id));
  const containers = [
    ...sources.records.map((record) => describeRecord(record, sources)),
    ...criOnly(sources.cri, known),
  ];
  return withMountedSnapshots(containers, sources);
}

function describeRecord(record: ContainerRecord, sources: ContainerSources): Container {
  const use = sources.cri?.containers.get(record.id);
  if (use) return fromCri(record.id, use, record);
  const sandbox = sources.cri?.sandboxes.get(record.id);
  const [imageId = "", ...otherImageIds] = record.imageRef ? [record.imageRef] : imagesOf(record, sources);
  const pod = sandbox?.pod ?? record.pod;
  const { createdAt } = record;
  return {
    id: record.id,
    image: record.image,
    imageId,
    otherImageIds,
    state: sandbox?.state ?? sources.states.get(record.id) ?? "created",
    kind: sandbox ? "sandbox" : record.kind,
    snapshotKey: record.snapshotKey,
    imageMounts: [],
    ...(pod ? { pod } : {}),
    ...(createdAt === undefined ? {} : { createdAt }),
  };
}

function fromCri(id: string, use: CriUse, record: ContainerRecord | undefined): Container {
  const pod = use.pod ?? record?.pod;
  const createdAt = use.createdAt ?? record?.createdAt;
  const [imageId = "", ...otherImageIds] = new Set(
    [use.imageId, ...use.otherImageIds, record?.imageRef ?? ""].filter(Boolean),
  );
  return {
    id,
    image: use.image || record?.image || "",
    imageId,
    otherImageIds,
    state: use.state,
    kind: "container",
    snapshotKey: record?.snapshotKey ?? "",
    imageMounts: use.imageMounts,
    ...(pod ? { pod } : {}),
    ...(createdAt === undefined ? {} : { createdAt }),
  };
}

/** What CRI lists without a record of the daemon: sandboxes of other sandboxers, and what was made just now. */
function criOnly(cri: CriView | undefined, known: ReadonlySet<string>): readonly Container[] {
  if (!cri) return [];
  const containers = [...cri.containers].filter(([id]) => !known.has(id));
  const sandboxes = [...cri.sandboxes].filter(([id]) => !known.has(id));
  return [
    ...containers.map(([id, use]) => fromCri(id, use, undefined)),
    ...sandboxes.map(([id, sandbox]) => bareSandbox(id, sandbox)),
  ];
}

function bareSandbox(id: string, { state, pod, createdAt }: CriSandbox): Container {
  const unknown = { image: "", imageId: "", otherImageIds: [], snapshotKey: "", imageMounts: [] };
  return {
    id,
    state,
    kind: "sandbox",
    ...unknown,
    ...(pod ? { pod } : {}),
    ...(createdAt === undefined ? {} : { createdAt }),
  };
}

/**
 * The images that a container may run, the likeliest first. Its snapshot tells the content even when the name has moved or
 * gone since; the name decides between images with the same layers.
 */
function imagesOf(record: ContainerRecord, sources: ContainerSources): readonly Digest[] {
  const named = record.image === "" ? undefined : sources.resolver.targetOfName(record.image);
  const bySnapshot = imagesUnder(record.snapshotKey, sources);
  if (bySnapshot.length === 0) return named ? [named] : [];
  if (!named || !bySnapshot.includes(named)) return bySnapshot;
  return [named, ...bySnapshot.filter((target) => target !== named)];
}

/** Images whose topmost layer lies directly under the snapshot; copies with shifted user IDs in between are looked through. */
function imagesUnder(snapshotKey: string, { writable, resolver }: ContainerSources): readonly Digest[] {
  let key = writable.parentOf(snapshotKey);
  for (let depth = 0; key !== undefined && depth < 8; depth += 1) {
    const name = nameOf(key);
    const targets = resolver.targetsOfChain(name);
    if (targets.length > 0 || isDigest(name)) return targets;
    key = writable.parentOf(key);
  }
  return [];
}

function nameOf(key: string): string {
  return key.slice(key.indexOf("/") + 1);
}

/**
 * Image volumes are writable snapshots that belong to no container record; a lease named like the sandbox holds them. Those
 * whose sandbox is not known are shown as a container of their own, so that the image counts as used.
 */
function withMountedSnapshots(containers: readonly Container[], sources: ContainerSources): readonly Container[] {
  const owned = new Set(containers.map((container) => container.snapshotKey));
  const mounts = new Map<string, string[]>();
  const strays: Container[] = [];
  const sandboxIds = new Set(containers.filter(({ kind }) => kind === "sandbox").map(({ id }) => id));
  const holders = holdersOf(sources.leases);
  for (const key of sources.writable.keys) {
    const images = owned.has(key) ? [] : imagesUnder(key, sources);
    if (images.length === 0) continue;
    const sandbox = holders.get(key)?.find((id) => sandboxIds.has(id));
    if (sandbox === undefined) strays.push(stray(key, images));
    else mounts.set(sandbox, [...(mounts.get(sandbox) ?? []), ...images]);
  }
  return [...containers.map((container) => withMounts(container, mounts.get(container.id))), ...strays];
}

function withMounts(container: Container, images: readonly string[] | undefined): Container {
  return images ? { ...container, imageMounts: [...new Set([...container.imageMounts, ...images])] } : container;
}

function stray(snapshotKey: string, images: readonly string[]): Container {
  const [imageId = "", ...otherImageIds] = images;
  const rest = { image: "", imageMounts: [], state: "unknown", kind: "container" } as const;
  return { id: `snapshot:${snapshotKey}`, imageId, otherImageIds, snapshotKey, ...rest };
}

/** IDs of the leases that list a snapshot, by its key. */
function holdersOf(leases: readonly Lease[]): ReadonlyMap<string, readonly string[]> {
  const holders = new Map<string, string[]>();
  for (const { id, references } of leases) {
    for (const key of references.snapshots) holders.set(key, [...(holders.get(key) ?? []), id]);
  }
  return holders;
}
