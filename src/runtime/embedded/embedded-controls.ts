// What others do to the embedded runtime behind its user's back: pulls, tags, containers, and the faults that tests need.
import type { Digest } from "../../image/digest.ts";
import type { Container, ContainerState, Image } from "../../image/node-state.ts";
import type { RuntimeState } from "../runtime.ts";
import { RuntimeError } from "../runtime-error.ts";
import type { CallGate } from "./call-gate.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { existingStore, type Memory, snapshotOf } from "./memory.ts";
import {
  bareImage,
  dropContainer,
  emptyStore,
  type NamespaceStore,
  putContainer,
  putImage,
  putName,
} from "./namespace-store.ts";

/** An image to be added; everything but the target has a default. */
export type NewImage = Pick<Image, "target"> & Partial<Image>;

/** A name to be written, as text or with the labels of its record. */
export type NewName = string | { readonly name: string; readonly labels?: Readonly<Record<string, string>> };

/** A container to be added; everything but the ID has a default. */
export type NewContainer = Pick<Container, "id"> & Partial<Container>;

/** What other users of a runtime do to it, and the faults that tests need. All changes happen at once. */
export interface EmbeddedControls extends Pick<CallGate, "failNext" | "beforeNext" | "hang" | "callCount"> {
  /** What is there now, without a call. */
  snapshot(): RuntimeState;
  /** Brings an image's content and points the names to it, as a pull does. Makes the namespace when needed. */
  addImage(namespace: string, image: NewImage, names: readonly NewName[]): void;
  /** Points a name, new or not, to a target. The target's image must still be there. */
  tag(namespace: string, name: NewName, target: Digest): void;
  /** Gives a blob its bytes, right or wrong. From the first one on, content can be read. */
  putContent(digest: Digest, bytes: Uint8Array): void;
  addContainer(namespace: string, container: NewContainer): void;
  /** Tells whether there was such a container. */
  removeContainer(namespace: string, id: string): boolean;
  setContainerState(namespace: string, id: string, state: ContainerState): void;
}

export function controlsOf(memory: Memory, gate: CallGate, feed: ChangeFeed): EmbeddedControls {
  const changed = (kind: "image" | "container", namespace: string) => feed.publish({ kind, namespace });
  return {
    failNext: gate.failNext,
    beforeNext: gate.beforeNext,
    hang: gate.hang,
    callCount: gate.callCount,
    snapshot: () => snapshotOf(memory),
    addImage(namespace, image, names) {
      const store = memory.stores.get(namespace) ?? emptyStore(namespace);
      memory.stores.set(namespace, store);
      putImage(store, completed(image));
      for (const name of names) writeName(memory, store, name, image.target);
      if (names.length === 0) store.nameless.add(image.target);
      changed("image", namespace);
    },
    tag(namespace, name, target) {
      const store = existingStore(memory, namespace, "tag");
      if (!store.images.has(target)) throw new RuntimeError("not-found", "tag", `no image ${target} in ${namespace}`);
      writeName(memory, store, name, target);
      changed("image", namespace);
    },
    putContent(digest, bytes) {
      memory.content.set(digest, bytes);
    },
    addContainer(namespace, container) {
      const store = memory.stores.get(namespace) ?? emptyStore(namespace);
      memory.stores.set(namespace, store);
      putContainer(store, { ...unknownContainer, ...container });
      changed("container", namespace);
    },
    removeContainer(namespace, id) {
      const there = dropContainer(existingStore(memory, namespace, "remove container"), id);
      if (there) changed("container", namespace);
      return there;
    },
    setContainerState(namespace, id, containerState) {
      const { containers } = existingStore(memory, namespace, "set container state");
      const container = containers.get(id);
      if (container === undefined) throw new RuntimeError("not-found", "set container state", `no container ${id}`);
      containers.set(id, { ...container, state: containerState });
      changed("container", namespace);
    },
  };
}

const unknownContainer: Omit<Container, "id"> = {
  image: "",
  imageId: "",
  otherImageIds: [],
  state: "running",
  kind: "container",
  snapshotKey: "",
  imageMounts: [],
};

function writeName(memory: Memory, store: NamespaceStore, given: NewName, target: Digest): void {
  const { name, labels = {} } = typeof given === "string" ? { name: given } : given;
  const now = memory.options.now?.();
  const createdAt = store.names.get(name)?.createdAt ?? now;
  putName(store, {
    name,
    target,
    labels,
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(now === undefined ? {} : { updatedAt: now }),
  });
}

function completed(image: NewImage): Image {
  const whole = { ...bareImage(image.target), ...image };
  const digests = [...new Set([image.target, ...whole.digests, whole.id])];
  return { ...whole, digests };
}
