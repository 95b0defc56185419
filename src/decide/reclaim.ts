// The bytes that a set of images really frees: what only they need. Shared content is counted when its last holder goes.
import type { Digest } from "../image/digest.ts";
import type { Image, NodeState } from "../image/node-state.ts";

/** An image and the namespace that holds it. */
export interface NamespacedImage {
  readonly namespace: string;
  readonly image: Image;
}

/** Adds up what images hold, over all namespaces for blobs and per namespace for layer snapshots. */
export interface Reclaim {
  /** Bytes that removing this image alone would free. */
  alone(namespace: string, image: Image): number;
  /** Bytes that removing all of these images together frees. */
  together(images: readonly NamespacedImage[]): number;
}

/**
 * Counts the holders of every blob and layer snapshot once. Blobs are one pool on disk: they go when no namespace needs
 * them any more. Snapshots belong to one namespace (spec: containerd-api, section 5). What containers, leases and running
 * pulls hold is never counted.
 */
export function measureReclaim(state: NodeState, images: readonly NamespacedImage[]): Reclaim {
  const content = new ContentIndex();
  for (const digest of state.foreignBlobs) content.blob(digest).holders += 1;
  for (const namespace of state.namespaces) {
    for (const digest of namespace.held.blobs) content.blob(digest).holders += 1;
    for (const key of namespace.held.snapshots) content.snapshot(namespace.name, key).holders += 1;
  }
  for (const holder of images) for (const item of content.heldBy(holder)) item.holders += 1;

  let questions = 0;
  const freedBy = (removed: Iterable<NamespacedImage>): number => {
    questions += 1;
    let bytes = 0;
    for (const image of removed) for (const item of content.heldBy(image)) bytes += release(item, questions);
    return bytes;
  };
  return { alone: (namespace, image) => freedBy([{ namespace, image }]), together: freedBy };
}

/** A blob of the node or a layer snapshot of a namespace, and who holds it. */
interface Item {
  /** Bytes; 0 as long as only something else than images holds it. */
  size: number;
  holders: number;
  /** How many holders are gone, in the question of this number only: a new question begins at none. */
  gone: number;
  question: number;
}

/** The bytes that are freed when one more holder goes: all of them when it is the last, else none. */
function release(item: Item, question: number): number {
  if (item.question !== question) {
    item.question = question;
    item.gone = 0;
  }
  item.gone += 1;
  return item.gone === item.holders ? item.size : 0;
}

/** Every blob and layer snapshot once. Looks digests and keys up once per image, because plans ask about all images again and again. */
class ContentIndex {
  readonly #blobs = new Map<Digest, Item>();
  readonly #snapshots = new Map<string, Map<string, Item>>();
  readonly #held = new Map<string, Map<Image, readonly Item[]>>();

  blob(digest: Digest): Item {
    return itemOf(this.#blobs, digest);
  }

  snapshot(namespace: string, key: string): Item {
    return itemOf(inner(this.#snapshots, namespace), key);
  }

  heldBy({ namespace, image }: NamespacedImage): readonly Item[] {
    const known = inner(this.#held, namespace);
    let held = known.get(image);
    if (held === undefined) {
      const items: Item[] = [];
      for (const { digest, size } of image.blobs) items.push(sized(this.blob(digest), size));
      for (const { key, size } of image.snapshots) items.push(sized(this.snapshot(namespace, key), size));
      held = items;
      known.set(image, held);
    }
    return held;
  }
}

function sized(item: Item, size: number): Item {
  item.size = size;
  return item;
}

function itemOf<Key>(items: Map<Key, Item>, key: Key): Item {
  let item = items.get(key);
  if (item === undefined) {
    item = { size: 0, holders: 0, gone: 0, question: 0 };
    items.set(key, item);
  }
  return item;
}

function inner<Key, Value>(maps: Map<string, Map<Key, Value>>, name: string): Map<Key, Value> {
  let map = maps.get(name);
  if (map === undefined) {
    map = new Map();
    maps.set(name, map);
  }
  return map;
}
