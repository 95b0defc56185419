// Reads who uses images right now: containers, sandboxes, image volumes, leases. In an order that never misses one.
import { type Digest, isDigest } from "../../image/digest.ts";
import type { Container, ImageName } from "../../image/node-state.ts";
import { mapBounded } from "../bounded.ts";
import type { CriView } from "../cri/cri-link.ts";
import { RuntimeError } from "../runtime-error.ts";
import { type ContainerRecord, readContainerRecords, readTaskStates } from "./container-records.ts";
import { type ContainerSources, describeContainers, type ImageResolver } from "./containers.ts";
import { Images } from "./gen/containerd/services/images/v1/images_pb.js";
import { forEachSnapshot, type Reading, readLeases, toImageName, toSnapshotNode } from "./read-inventory.ts";

const asksAtATime = 16;

export interface UseQuestion {
  readonly snapshotters: readonly string[];
  /** What CRI knows, read just now; undefined for namespaces that CRI does not manage. */
  readonly readCri: () => Promise<CriView | undefined>;
}

/** What the daemon and CRI say of containers, not yet related to images. */
export type UseRecords = Omit<ContainerSources, "resolver">;

/**
 * CRI first, then the records, the writable snapshots last: a container that comes up in between shows at least as a record
 * or as a snapshot in use.
 */
export async function readUseRecords(reading: Reading, question: UseQuestion): Promise<UseRecords> {
  const cri = await question.readCri();
  const records = await readContainerRecords(reading);
  const states = await readTaskStates(reading);
  const leases = await readLeases(reading);
  const parents = await readWritableSnapshots(reading, question.snapshotters);
  const writable = [...parents.keys()];
  await addParentsBetween(reading, parents);
  return { cri, records, states, leases, parents, writable };
}

/** The containers, with the images that they use. */
export async function resolveUses(
  reading: Reading,
  uses: UseRecords,
  resolver: ImageResolver,
): Promise<readonly Container[]> {
  return describeContainers({ ...uses, resolver: await withUnknownNames(reading, uses.records, resolver) });
}

/** Parents of all snapshots that are not committed, by key. */
async function readWritableSnapshots(
  reading: Reading,
  snapshotters: readonly string[],
): Promise<Map<string, string | undefined>> {
  const parents = new Map<string, string | undefined>();
  for (const snapshotter of snapshotters) {
    await forEachSnapshot(reading, { snapshotter, filters: ["kind==active", "kind==view"] }, (info) => {
      const node = toSnapshotNode(snapshotter, info, 0);
      if (!node.committed) parents.set(node.key, node.parent);
    });
  }
  return parents;
}

/** Between a container and its image can lie committed snapshots that are no layers, such as copies with shifted user IDs. */
async function addParentsBetween(reading: Reading, parents: Map<string, string | undefined>): Promise<void> {
  for (let depth = 0; depth < 8; depth += 1) {
    const unknown = new Set<string>();
    for (const key of parents.values()) {
      if (key !== undefined && !parents.has(key) && !isDigest(key.slice(key.indexOf("/") + 1))) unknown.add(key);
    }
    if (unknown.size === 0) return;
    await mapBounded([...unknown], asksAtATime, async (key) => parents.set(key, await parentOf(reading, key)));
  }
}

async function parentOf({ connection, namespace, scope }: Reading, key: string): Promise<string | undefined> {
  const slash = key.indexOf("/");
  const snapshotter = key.slice(0, slash);
  const answer = await undefinedWhenGone(
    connection.call({ operation: "stat snapshot", namespace }, scope, (options) =>
      connection.clients.snapshots.stat({ snapshotter, key: key.slice(slash + 1) }, options),
    ),
  );
  return answer?.info?.parent ? `${snapshotter}/${answer.info.parent}` : undefined;
}

/** The resolver, with what the names of containers point to that it does not know because they are new. */
async function withUnknownNames(
  reading: Reading,
  records: readonly ContainerRecord[],
  resolver: ImageResolver,
): Promise<ImageResolver> {
  const unknown = new Set(records.map((record) => record.image));
  for (const name of unknown) if (name === "" || resolver.targetOfName(name)) unknown.delete(name);
  const found = new Map<string, Digest | undefined>();
  await mapBounded([...unknown], asksAtATime, async (name) => found.set(name, (await readName(reading, name))?.target));
  return { ...resolver, targetOfName: (name) => resolver.targetOfName(name) ?? found.get(name) };
}

/** The record of one name; undefined when there is none. */
export async function readName(
  { connection, namespace, scope }: Reading,
  name: string,
): Promise<ImageName | undefined> {
  const answer = await undefinedWhenGone(
    connection.collect({ operation: "get image", namespace }, scope, { method: Images.method.get, input: { name } }),
  );
  const image = answer?.[0]?.image;
  return image && toImageName(image);
}

/** What was asked for, or undefined when the daemon says that there is no such thing. */
async function undefinedWhenGone<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "not-found") return undefined;
    throw error;
  }
}
