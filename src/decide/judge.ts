// Judges the names of one namespace, image by image: what is used, what is protected, which names stay, in each mode that is asked for.
import type { Digest } from "../image/digest.ts";
import type { NamespaceState, NodeState } from "../image/node-state.ts";
import { keepWhatCannotBeUntagged } from "./cannot-untag.ts";
import { isCriNamespace } from "./cri-namespace.ts";
import type { DemandMode } from "./demand.ts";
import { followsDocker, keepParents, retainDockerNames } from "./docker-names.ts";
import type { History } from "./history.ts";
import type { ImageIndex, IndexedImage } from "./image-index.ts";
import { type ClassifiedName, classifyName } from "./name-kind.ts";
import { newestTags } from "./newest-tags.ts";
import type { Policy } from "./policy.ts";
import { type Protection, type ProtectionContext, ProtectionsByImage, reasonsOf } from "./protection.ts";
import type { Reason } from "./reason.ts";
import type { Before } from "./recheck.ts";
import { type KindOfName, listedNames } from "./remove-list.ts";
import { type JudgedName, type NameDecision, retainCriNames, retainLastName } from "./retention.ts";
import { keepSharedIds, type NamespaceIndex } from "./shared-id.ts";
import { type Unneeded, unneededIn } from "./unneeded.ts";
import { findUses, type Usage } from "./usage.ts";

export interface JudgeInput {
  readonly namespace: NamespaceState;
  /** The number of its first image: see `JudgedNamespace`. */
  readonly first: number;
  readonly index: ImageIndex;
  readonly state: NodeState;
  readonly history: History;
  readonly policy: Policy;
  readonly backoff: ReadonlyMap<Digest, string> | undefined;
  readonly modes: readonly DemandMode[];
  /** What the namespace was like when the plan was made that is judged again; undefined for a new plan. */
  readonly before?: Before | undefined;
}

/** What becomes of each name of each image, in the order of the index's images. */
export type Decisions = readonly (readonly NameDecision[])[];

export interface JudgedNamespace {
  readonly namespace: string;
  /** The images of all namespaces are numbered, as in the shared content: this is the number of the namespace's first one. */
  readonly first: number;
  readonly index: ImageIndex;
  readonly usage: Usage;
  readonly unneeded: Unneeded;
  readonly decisions: ReadonlyMap<DemandMode, Decisions>;
}

/** What `tell` says of each image of these namespaces, by number. Images without any name have greater numbers, and are left out. */
export function ofEachImage<T>(
  judged: readonly JudgedNamespace[],
  tell: (one: JudgedNamespace, at: number) => T,
): readonly T[] {
  const lists = judged.map((one) => one.index.images.map((_, at) => tell(one, at)));
  return lists.length === 1 ? (lists[0] ?? []) : lists.flat();
}

/** Judges a namespace. Uses are found once, and serve every mode. */
export function judgeNamespace(input: JudgeInput): JudgedNamespace {
  const { namespace, first, index, state, history, policy } = input;
  const criManaged = isCriNamespace(namespace.name);
  const usage = findUses({ namespace, index, pods: state.pods, semantics: policy.semantics, criManaged });
  const memory = { history, now: state.takenAt, namespace: namespace.name };
  const unneeded = unneededIn(index);
  const othersMayGo = usage.unresolved.length + usage.repositories.size + policy.remove.length === 0;
  const shared = { ...input, usage, unneeded, criManaged, used: usedPlaces(usage, index), othersMayGo };
  const remembered = {
    ...memory,
    policy,
    pinned: index.pinned,
    held: new Set(namespace.held.blobs),
    newest: input.before?.newest ?? newestTags(index, policy.keepPerRepository, memory),
    backoff: input.backoff,
  };
  const decisions = new Map(
    input.modes.map((mode) => {
      const protection = { ...remembered, mode };
      const protections = new ProtectionsByImage(index, protection);
      const context: ImageContext = { ...shared, mode, protection, protections };
      const decided = index.images.map((entry, at) => decideImage(entry, at, context));
      return [mode, settleNames(state, { namespace: namespace.name, index }, decided)] as const;
    }),
  );
  return { namespace: namespace.name, first, index, usage, unneeded, decisions };
}

/** Few images are in use: to look those up is less than to look every image up in the uses. */
function usedPlaces({ images, named }: Usage, index: ImageIndex): Uint8Array {
  const used = new Uint8Array(index.images.length);
  for (const targets of [images.keys(), named.keys()]) {
    for (const target of targets) {
      const at = index.placeOf(target);
      if (at !== undefined) used[at] = 1;
    }
  }
  return used;
}

/** Decisions with what images have to do with one another, and with what the runtime cannot do. */
export function settleNames(state: NodeState, namespace: NamespaceIndex, decisions: Decisions): Decisions {
  const shared = keepSharedIds(namespace, decisions);
  const complete = followsDocker(state) ? keepParents(namespace.index.images, shared, state.namespaces) : shared;
  return state.runtime.untag === false ? complete.map(keepWhatCannotBeUntagged) : complete;
}

function isCriManagedImage(entry: IndexedImage): boolean {
  return entry.names.some((name) => name.labels["io.cri-containerd.image"] === "managed");
}

interface ImageContext extends JudgeInput {
  readonly mode: DemandMode;
  readonly usage: Usage;
  readonly unneeded: Unneeded;
  readonly criManaged: boolean;
  /** By the places of images: 1 for those that something uses, by content or by name. */
  readonly used: Uint8Array;
  /** True when nothing speaks for images beside uses of their own and protections, and no list means any. */
  readonly othersMayGo: boolean;
  readonly protection: ProtectionContext;
  readonly protections: ProtectionsByImage;
}

function decideImage(entry: IndexedImage, at: number, context: ImageContext): readonly NameDecision[] {
  const { usage, policy, unneeded, state } = context;
  const isUsed = context.used[at] === 1;
  const protections = context.protections.at(at);
  if (!isUsed && protections.length === 0 && context.othersMayGo) return unneeded.decisionsAt(at);
  const criManaged = policy.semantics === "strict" && (context.criManaged || isCriManagedImage(entry));
  const imageUses = (isUsed && usage.images.get(entry.image.target)) || none;
  const names = judgeNames({ at, entry, isUsed, protections, criManaged }, context);
  if (imageUses.length === 0 && names.every(isUnneeded)) return unneeded.decisionsAt(at);
  if (followsDocker(state)) return retainDockerNames({ names, imageUses });
  if (!criManaged) return retainLastName({ names, imageUses });
  const users = imageUses.length > 0 || !isUsed ? imageUses : (usage.named.get(entry.image.target) ?? none);
  return retainCriNames({ names, imageUses, ...(state.pods === null ? { unknownUsers: users } : {}) });
}

function isUnneeded({ reasons, listed }: JudgedName): boolean {
  return reasons.length === 0 && !listed;
}

/** An image whose names have to be looked at one by one. */
interface AskedImage {
  readonly at: number;
  readonly entry: IndexedImage;
  /** True when something uses it, by content or by name. */
  readonly isUsed: boolean;
  /** Those that may protect it. */
  readonly protections: readonly Protection[];
  readonly criManaged: boolean;
}

function judgeNames(asked: AskedImage, context: ImageContext): JudgedName[] {
  const { at, entry, isUsed, protections, criManaged } = asked;
  const { index, usage } = context;
  const kinds = index.kinds[at] ?? [];
  const listed = listedOf(asked, context);
  const imageIsDangling = protections.length > 0 && criManaged && isDangling(asked, context);
  return entry.names.map((name, i) => {
    const { kind, repository } = kinds[i] ?? classifyName(name);
    const isListed = listed.has(name.name);
    const uses = (isUsed && usage.names.get(name.name)) || none;
    const ofRepository = (repository !== undefined && usage.repositories.get(repository)) || none;
    const candidate = { image: entry.image, name, kind, listed: isListed, imageInUse: isUsed, imageIsDangling };
    const protectedBy = protections.length === 0 ? none : reasonsOf(protections, candidate, context.protection);
    const reasons = joined(uses, ofRepository, usage.unresolved, protectedBy);
    return { name, kind, repository, reasons, listed: isListed };
  });
}

const nothing: ReadonlySet<string> = new Set();

function listedOf(asked: AskedImage, context: ImageContext): ReadonlySet<string> {
  const { remove } = context.policy;
  return remove.length === 0 ? nothing : listedNames(remove, asked.entry.image, kindsOf(asked, context));
}

function isDangling(asked: AskedImage, context: ImageContext): boolean {
  return kindsOf(asked, context).every(({ kind }) => kind === "id" || kind === "dangling");
}

/** All names of an image. What an image is does not change while its names go one after the other. */
function kindsOf({ at, entry }: AskedImage, { index, before }: ImageContext): readonly KindOfName[] {
  const { target } = entry.image;
  const names = before?.names.get(target);
  if (names !== undefined) return names.map((name) => kindOf(name, classifyName({ name, target })));
  return entry.names.map((name, i) => kindOf(name.name, index.kinds[at]?.[i] ?? classifyName(name)));
}

function kindOf(name: string, { kind, repository }: ClassifiedName): KindOfName {
  return { name, kind, repository };
}

const none: readonly Reason[] = [];

/** Most names have no reason to stay, or one kind of them: a list is made only where there are more. */
function joined(...lists: readonly (readonly Reason[])[]): readonly Reason[] {
  let all = none;
  for (const list of lists) if (list.length > 0) all = all.length === 0 ? list : [...all, ...list];
  return all;
}
