// Reads who uses images right now: containers, sandboxes, image volumes, leases. In an order that never misses one.
import type { Digest } from "../../image/digest.ts";
import type { Container, ImageName } from "../../image/node-state.ts";
import { mapBounded } from "../bounded.ts";
import type { CriView } from "../cri/cri-link.ts";
import { type ContainerRecord, readContainerRecords, readTaskStates } from "./container-records.ts";
import { type ContainerSources, describeContainers, type ImageResolver } from "./containers.ts";
import { Images } from "./gen/containerd/services/images/v1/images_pb.js";
import { type Reading, readLeases, toImageName } from "./read-inventory.ts";
import { whenGone } from "./when-gone.ts";
import { decodeName, forEachRecord } from "./wire-records.ts";
import type { WritableSnapshots } from "./writable-snapshots.ts";

const asksAtATime = 16;

export interface UseQuestion {
  /** What CRI knows, read just now; undefined for namespaces that CRI does not manage. */
  readonly readCri: () => Promise<CriView | undefined>;
  readonly readWritable: () => Promise<WritableSnapshots>;
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
  const writable = await question.readWritable();
  return { cri, records, states, leases, writable };
}

/** The containers, with the images that they use. */
export async function resolveUses(
  reading: Reading,
  uses: UseRecords,
  resolver: ImageResolver,
): Promise<readonly Container[]> {
  return describeContainers({ ...uses, resolver: await withUnknownNames(reading, uses.records, resolver) });
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
  let found: ImageName | undefined;
  const request = { method: Images.method.get, input: { name } };
  await whenGone(
    connection.read({ operation: "get image", namespace }, scope, request, (message) => {
      forEachRecord(message, decodeName, (record) => {
        found = toImageName(record);
      });
    }),
    undefined,
  );
  return found;
}
