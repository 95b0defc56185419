// Who needs what: turns containers and pods into uses of names and of images. The most careful file of the project.
import type { Digest } from "../image/digest.ts";
import { danglingName, isIdPrefix } from "../image/image-id.ts";
import type { Container, NamespaceState, Pod } from "../image/node-state.ts";
import type { ImageIndex } from "./image-index.ts";
import type { Semantics } from "./policy.ts";
import type { Reason } from "./reason.ts";
import { readSpelling, repositoriesMeant } from "./spelling.ts";
import { describeContainer, useByContainer, useByMount, useByPod } from "./use.ts";

/** What one namespace's images are used for. */
export interface Usage {
  /** Uses by name, of names that are there: the exact name is needed, whatever it points to. */
  readonly names: ReadonlyMap<string, readonly Reason[]>;
  /** The same by what the names point to. */
  readonly named: ReadonlyMap<Digest, readonly Reason[]>;
  /** Uses by content: at least one name of the image is needed. */
  readonly images: ReadonlyMap<Digest, readonly Reason[]>;
  /** Repositories (full form) whose names all stay, because a use of them could not be resolved. */
  readonly repositories: ReadonlyMap<string, readonly Reason[]>;
  /** Set when a container's image could not be found out at all: nothing of the namespace may go. */
  readonly unresolved: readonly Reason[];
  /** One line for each thing an operator should know. */
  readonly warnings: readonly string[];
}

export interface UsageInput {
  readonly namespace: NamespaceState;
  readonly index: ImageIndex;
  readonly pods: readonly Pod[] | null;
  readonly semantics: Semantics;
  /** True when CRI manages the namespace's names: unresolvable uses then protect more (spec: prune, rule S3). */
  readonly criManaged: boolean;
}

/** Collects every use of the names and images of one namespace. */
export function findUses(input: UsageInput): Usage {
  const uses = new UsageBuilder(input);
  for (const container of input.namespace.containers) uses.addContainer(container);
  for (const pod of input.pods ?? []) uses.addPod(pod);
  return uses;
}

/** A pod that will not run again needs its images only through containers that still exist. */
export function isTerminal(pod: Pod): boolean {
  return pod.phase === "Succeeded" || pod.phase === "Failed";
}

class UsageBuilder implements Usage {
  readonly names = new Map<string, Reason[]>();
  readonly named = new Map<Digest, Reason[]>();
  readonly images = new Map<Digest, Reason[]>();
  readonly repositories = new Map<string, Reason[]>();
  readonly unresolved: Reason[] = [];
  readonly warnings: string[] = [];
  readonly #input: UsageInput;
  readonly #index: ImageIndex;
  readonly #strict: boolean;

  constructor(input: UsageInput) {
    this.#input = input;
    this.#index = input.index;
    this.#strict = input.semantics === "strict";
  }

  addContainer(given: Container): void {
    const container = this.#strict ? withoutBlanks(given) : given;
    const reason = useByContainer(container);
    if (container !== given) this.#addName(given.image, reason);
    const resolved = this.#strict ? this.#resolveStrictly(container) : resolveAsUpstream(container);
    for (const target of resolved) {
      push(this.images, target, reason);
      this.#addDangling(target, reason);
    }
    if (!this.#strict && container.imageId !== "") this.#addDangling(container.imageId as Digest, reason);
    this.#addSpelling(container.image, reason);
    if (!this.#strict) return;
    if (resolved.length === 0) this.#addUnresolved(container, reason);
    if (container.imageMounts.length === 0) return;
    const mounted = useByMount(container);
    for (const mount of container.imageMounts) this.#addMount(mount, mounted);
  }

  addPod(pod: Pod): void {
    if (isTerminal(pod)) return;
    const reason = useByPod(pod);
    for (const spelling of pod.images) {
      this.#addSpelling(spelling, reason);
      this.#addImages(this.#readAsId(spelling), reason);
    }
    for (const imageId of pod.imageIds) this.#addImages(this.#index.targetsOf(imageId), reason);
  }

  #resolveStrictly(container: Container): readonly Digest[] {
    const byId = this.#targetsOfIds(container);
    if (byId.length > 0 && container.imageId !== "") return byId;
    const bySnapshot = this.#index.targetsBySnapshot(container.snapshotKey);
    // A digest in the spelling alone does not outweigh what the container stands on.
    if (byId.length > 0) return [...new Set([...byId, ...bySnapshot])];
    if (bySnapshot.length > 0) return bySnapshot;
    const { image, imageId } = container;
    // A whole ID tells which image it was, and that this one is not here: what the name points to now is another.
    if (readSpelling(imageId).digests.length > 0) return this.#readAsId(image);
    const asId = [imageId, image].flatMap((text) => this.#readAsId(text));
    return asId.length > 0 ? asId : [imageId, image].flatMap((text) => this.#targetsNow(text));
  }

  /** By every digest that the container mentions: what it was resolved to, and what its own spelling says. */
  #targetsOfIds({ image, imageId, otherImageIds }: Container): readonly Digest[] {
    const first = this.#index.targetsOf(imageId);
    if (otherImageIds.length === 0 && readSpelling(image).digests.length === 0) return first;
    return [...new Set([...first, ...[image, ...otherImageIds].flatMap((text) => this.#index.targetsOf(text))])];
  }

  /** What a spelling, read as a name, points to now. */
  #targetsNow(spelling: string): readonly Digest[] {
    const full = readSpelling(spelling).reference?.name ?? spelling;
    return [full, spelling].flatMap((name) => this.#index.nameOf(name)?.target ?? []);
  }

  /** Images that a spelling means when it is read as an ID, an ID prefix or a reference with a digest. */
  #readAsId(spelling: string): readonly Digest[] {
    const { digests, shortId } = readSpelling(spelling);
    const exact = digests.length === 0 ? [] : this.#index.targetsOf(spelling);
    if (exact.length > 0 || shortId === undefined) return exact;
    return this.#index.targetsByHexPrefix(shortId);
  }

  #addImages(targets: readonly Digest[], reason: Reason): void {
    for (const target of targets) push(this.images, target, reason);
  }

  /** A spelling protects the name it spells; one with tag and digest protects the tag alone as well. */
  #addSpelling(spelling: string, reason: Reason): void {
    if (spelling === "") return;
    if (this.#strict) this.#addName(spelling, reason);
    const { reference } = readSpelling(spelling);
    if (reference === undefined) {
      if (this.#strict && this.#readAsId(spelling).length === 0) this.#addWhatItMayMean(spelling, reason);
      return;
    }
    const { name, halves } = reference;
    if (!this.#strict || name !== spelling) this.#addName(name, reason);
    if (halves === undefined) return;
    this.#addName(halves.tagged, reason);
    // CRI drops the tag and looks the image up under its digest reference, so there that name is needed as well.
    if (this.#input.criManaged) this.#addName(halves.digested, reason);
  }

  #addWhatItMayMean(spelling: string, reason: Reason): void {
    const repositories = repositoriesMeant(spelling);
    for (const repository of repositories) push(this.repositories, repository, reason);
    const kept =
      repositories.length > 0 ? `all names of ${repositories.join(" and ")} are kept` : "it keeps that exact name";
    this.warnings.push(`${reason.detail}: ${JSON.stringify(spelling)} is no image reference; ${kept}`);
  }

  #addName(name: string, reason: Reason): void {
    const target = this.#index.nameOf(name)?.target;
    if (target === undefined) return;
    push(this.names, name, reason);
    push(this.named, target, reason);
  }

  #addDangling(target: Digest, reason: Reason): void {
    if (this.#index.hasDangling) this.#addName(danglingName(target), reason);
  }

  /** An image volume uses the content that its name points to now, not just the name. */
  #addMount(mount: string, reason: Reason): void {
    this.#addSpelling(mount, reason);
    const targets = [...this.#readAsId(mount), ...this.#targetsNow(mount)];
    this.#addImages(targets, reason);
    if (targets.length === 0 && this.#input.criManaged && isUnreadable(mount)) this.#addUnreadable(mount, reason);
  }

  /** Fail closed where CRI manages the names: the image behind an unresolvable use is not known, so nothing near it goes. */
  #addUnresolved(container: Container, reason: Reason): void {
    if (!this.#input.criManaged) return;
    const { image, imageId } = container;
    if (image === "" && imageId === "") {
      this.unresolved.push({ code: "unresolved-container", detail: `${describeContainer(container)} names no image` });
      return;
    }
    const { reference } = readSpelling(image);
    // `sha256:<digits>` reads as a reference too, but nobody calls a repository so.
    if (reference !== undefined && !image.startsWith("sha256:")) push(this.repositories, reference.repository, reason);
    const isKnownId = readSpelling(imageId).digests.length > 0;
    if (!isKnownId && isUnreadable(image) && isUnreadable(imageId)) this.#addUnreadable(image || imageId, reason);
  }

  #addUnreadable(text: string, { detail }: Reason): void {
    this.unresolved.push({ code: "unresolved-container", detail: `${detail} uses ${JSON.stringify(text)}: no image` });
  }
}

/** True for a text that means no image in any reading, and for none. */
function isUnreadable(text: string): boolean {
  const { reference, shortId, digests } = readSpelling(text);
  return reference === undefined && shortId === undefined && digests.length === 0;
}

/** Blanks around a spelling belong to no reference; without them it can be read. */
function withoutBlanks(container: Container): Container {
  const { image, imageId, imageMounts } = container;
  const isClean = (text: string): boolean => text === text.trim();
  if (isClean(image) && isClean(imageId) && imageMounts.every(isClean)) return container;
  return {
    ...container,
    image: image.trim(),
    imageId: imageId.trim(),
    imageMounts: imageMounts.map((one) => one.trim()),
  };
}

/** Upstream's reading: the resolved ID is used when the spelling is a prefix of it or ends with `@` and it. */
function resolveAsUpstream(container: Container): readonly Digest[] {
  const resolved = container.imageId as Digest;
  if (resolved === "") return [];
  const byPrefix = isIdPrefix(`sha256:${container.image.replace(/^sha256:/, "")}`, resolved);
  return byPrefix || container.image.endsWith(`@${resolved}`) ? [resolved] : [];
}

/** Adds a reason once. All that one reason speaks for is added in a row, so that a look at the last one suffices. */
function push<Key>(map: Map<Key, Reason[]>, key: Key, reason: Reason): void {
  const reasons = map.get(key);
  if (reasons === undefined) map.set(key, [reason]);
  else if (reasons.at(-1) !== reason) reasons.push(reason);
}
