// Judges the names of one namespace, image by image: what is used, what is protected, which names stay, in each mode that is asked for.
import type { Digest } from "../image/digest.ts";
import type { NamespaceState, NodeState } from "../image/node-state.ts";
import { keepWhatCannotBeUntagged } from "./cannot-untag.ts";
import { isCriNamespace } from "./cri-namespace.ts";
import type { DemandMode } from "./demand.ts";
import type { History } from "./history.ts";
import type { ImageIndex, IndexedImage } from "./image-index.ts";
import { classifyName } from "./name-kind.ts";
import { newestTags } from "./newest-tags.ts";
import type { Policy } from "./policy.ts";
import { protectionsOf } from "./protection.ts";
import type { Reason } from "./reason.ts";
import { listedNames } from "./remove-list.ts";
import { type JudgedName, type NameDecision, retainCriNames, retainLastName } from "./retention.ts";
import { keepSharedIds } from "./shared-id.ts";
import { findUses, type Usage } from "./usage.ts";

export interface JudgeInput {
  readonly namespace: NamespaceState;
  readonly index: ImageIndex;
  readonly state: NodeState;
  readonly history: History;
  readonly policy: Policy;
  readonly backoff: ReadonlyMap<Digest, string> | undefined;
  readonly modes: readonly DemandMode[];
}

/** What becomes of each name of each image, in the order of the index's images. */
export type Decisions = readonly (readonly NameDecision[])[];

export interface JudgedNamespace {
  readonly namespace: string;
  readonly index: ImageIndex;
  readonly usage: Usage;
  readonly decisions: ReadonlyMap<DemandMode, Decisions>;
}

/** Judges a namespace. Uses are found once, and serve every mode. */
export function judgeNamespace(input: JudgeInput): JudgedNamespace {
  const { namespace, index, state, history, policy } = input;
  const criManaged = isCriNamespace(namespace.name);
  const usage = findUses({ namespace, index, pods: state.pods, semantics: policy.semantics, criManaged });
  const memory = { history, now: state.takenAt, namespace: namespace.name };
  const shared = {
    ...input,
    usage,
    criManaged,
    held: new Set(namespace.held.blobs),
    newest: newestTags(index, policy.keepPerRepository, memory),
  };
  const decisions = new Map(
    input.modes.map((mode) => {
      const context: ImageContext = { ...shared, mode };
      const decided = index.images.map((entry) => decideImage(entry, context));
      return [mode, settleNames(state, index.images, decided)] as const;
    }),
  );
  return { namespace: namespace.name, index, usage, decisions };
}

/** Decisions with what images have to do with one another, and with what the runtime cannot do. */
export function settleNames(state: NodeState, images: readonly IndexedImage[], decisions: Decisions): Decisions {
  const shared = keepSharedIds(images, decisions);
  return state.runtime.untag === false ? shared.map(keepWhatCannotBeUntagged) : shared;
}

function isCriManagedImage(entry: IndexedImage): boolean {
  return entry.names.some((name) => name.labels["io.cri-containerd.image"] === "managed");
}

interface ImageContext extends JudgeInput {
  readonly mode: DemandMode;
  readonly usage: Usage;
  readonly criManaged: boolean;
  readonly held: ReadonlySet<Digest>;
  readonly newest: ReadonlySet<string>;
}

function decideImage(entry: IndexedImage, context: ImageContext): NameDecision[] {
  const { usage, policy } = context;
  const criManaged = policy.semantics === "strict" && (context.criManaged || isCriManagedImage(entry));
  const imageUses = usage.images.get(entry.image.target) ?? none;
  const names = judgeNames(entry, { ...context, criManaged }, imageUses.length > 0);
  if (!criManaged) return retainLastName({ names, imageUses });
  return retainCriNames({ names, imageUses, podsKnown: context.state.pods !== null });
}

function judgeNames(entry: IndexedImage, context: ImageContext, imageUsed: boolean): JudgedName[] {
  const { usage, policy, criManaged } = context;
  const { image } = entry;
  const classified = entry.names.map((name) => {
    const { kind, repository } = classifyName(name.name);
    return { name, kind, repository };
  });
  const listed = listedNames(policy.remove, image, classified);
  const protection = {
    policy,
    mode: context.mode,
    history: context.history,
    now: context.state.takenAt,
    namespace: context.namespace.name,
    held: context.held,
    newest: context.newest,
    backoff: context.backoff,
    imageInUse: imageUsed || entry.names.some((name) => usage.names.has(name.name)),
    imageIsDangling: criManaged && classified.every(({ kind }) => kind === "id" || kind === "dangling"),
  };
  return classified.map(({ name, kind, repository }) => {
    const uses = usage.names.get(name.name) ?? none;
    const ofRepository = (repository !== undefined && usage.repositories.get(repository)) || none;
    const isListed = listed.has(name.name);
    const protections = protectionsOf({ image, name, kind, listed: isListed }, protection);
    const reasons = joined(uses, ofRepository, usage.unresolved, protections);
    return { name, kind, repository, reasons, listed: isListed };
  });
}

const none: readonly Reason[] = [];

/** Most names have no reason to stay, or one kind of them: a list is made only where there are more. */
function joined(...lists: readonly (readonly Reason[])[]): readonly Reason[] {
  let all = none;
  for (const list of lists) if (list.length > 0) all = all.length === 0 ? list : [...all, ...list];
  return all;
}
