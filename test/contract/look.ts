// Small questions to what a runtime says, for the cases of the contract table.
import { expect } from "vitest";
import type { Container, Image, NamespaceState } from "../../src/image/node-state.ts";
import type { Content, ObserveOptions } from "../../src/runtime/runtime.ts";
import type { Subject } from "./subject.ts";

/** The subject's namespace as the runtime sees it now. */
export async function look(
  subject: Subject,
  namespace = subject.namespace,
  options: ObserveOptions = {},
): Promise<NamespaceState> {
  const state = await subject.runtime.observe(options);
  const found = state.namespaces.find((one) => one.name === namespace);
  return found ?? expect.fail(`the runtime does not tell of namespace ${namespace}`);
}

/** The image that a name points to. */
export function imageNamed(state: NamespaceState, name: string): Image {
  const target = state.names.find((one) => one.name === name)?.target;
  return state.images.find((one) => one.target === target) ?? expect.fail(`no image behind the name ${name}`);
}

/** The image with its sets in order: the port does not say in which order blobs and digests come. */
export function inOrder(image: Image): Image {
  const blobs = image.blobs.toSorted((left, right) => (left.digest < right.digest ? -1 : 1));
  return { ...image, blobs, digests: image.digests.toSorted() };
}

/** All names, in order. */
export function namesOf(state: NamespaceState): readonly string[] {
  return state.names.map(({ name }) => name).sort();
}

/** What an image is known by, without the content that it takes. */
export function withoutContent(image: Image): Image {
  return { ...inOrder(image), blobs: [], snapshots: [] };
}

export function containerOf(state: NamespaceState, id: string): Container {
  return state.containers.find((one) => one.id === id) ?? expect.fail(`no container ${id}`);
}

/** Everything that the runtime keeps because of the image. */
export function contentOf(image: Image): Content {
  return {
    blobs: image.blobs.map((blob) => blob.digest).sort(),
    snapshots: image.snapshots.map((snapshot) => snapshot.key).sort(),
  };
}

export function sameContent(content: Content): Content {
  return { blobs: [...content.blobs].sort(), snapshots: [...content.snapshots].sort() };
}

/** Removes a name and collects: what a round of pruning does. */
export async function removeAndCollect(subject: Subject, image: Image, name: string, namespace = subject.namespace) {
  const result = await subject.runtime.removeName(namespace, name, image.target);
  await subject.runtime.collect();
  return result;
}

/** Removes an image by all the names that are given, in the way that the runtime has: the result of the last step. */
export async function removeWhole(subject: Subject, image: Image, names: readonly string[]): Promise<string> {
  const { runtime, namespace } = subject;
  if (!runtime.capabilities.untag) return (await runtime.removeImage(namespace, { ...image, names })).kind;
  let result = "";
  for (const name of names) result = await runtime.removeName(namespace, name, image.target);
  await runtime.collect();
  return result;
}
