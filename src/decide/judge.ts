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
import { protectionsOf } from "./protection.ts";
import type { Reason } from "./reason.ts";
import type { Before } from "./recheck.ts";
import { type KindOfName, listedNames } from "./remove-list.ts";
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
  /** What the namespace was like when the plan was made that is judged again; undefined for a new plan. */
  readonly before?: Before | undefined;
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
    usedByName: new Set([...usage.names.keys()].map((name) => index.nameOf(name)?.target)),
    held: new Set(namespace.held.blobs),
    newest: input.before?.newest ?? newestTags(index, policy.keepPerRepository, memory),
  };
  const decisions = new Map(
    input.modes.map((mode) => {
      const context: ImageContext = { ...shared, mode };
      const decided = index.images.map((entry, i) => decideImage(entry, index.kinds[i] ?? [], context));
      return [mode, settleNames(state, index, decided)] as const;
    }),
  );
  return { namespace: namespace.name, index, usage, decisions };
}

/** Decisions with what images have to do with one another, and with what the runtime cannot do. */
export function settleNames(state: NodeState, index: ImageIndex, decisions: Decisions): Decisions {
  const shared = keepSharedIds(index, decisions);
  const complete = followsDocker(state) ? keepParents(index.images, shared, state.namespaces) : shared;
  return state.runtime.untag === false ? complete.map(keepWhatCannotBeUntagged) : complete;
}

function isCriManagedImage(entry: IndexedImage): boolean {
  return entry.names.some((name) => name.labels["io.cri-containerd.image"] === "managed");
}

interface ImageContext extends JudgeInput {
  readonly mode: DemandMode;
  readonly usage: Usage;
  readonly criManaged: boolean;
  /** Targets of the names that are in use: the names of all other images need not be looked up. */
  readonly usedByName: ReadonlySet<Digest | undefined>;
  readonly held: ReadonlySet<Digest>;
  readonly newest: ReadonlySet<string>;
}

type Kinds = readonly ClassifiedName[];

function decideImage(entry: IndexedImage, kinds: Kinds, context: ImageContext): readonly NameDecision[] {
  const { usage, policy } = context;
  const criManaged = policy.semantics === "strict" && (context.criManaged || isCriManagedImage(entry));
  const imageUses = usage.images.get(entry.image.target) ?? none;
  const names = judgeNames(entry, kinds, { ...context, criManaged, imageUsed: imageUses.length > 0 });
  if (followsDocker(context.state)) return retainDockerNames({ names, imageUses });
  if (!criManaged) return retainLastName({ names, imageUses });
  return retainCriNames({ names, imageUses, podsKnown: context.state.pods !== null });
}

function judgeNames(
  entry: IndexedImage,
  kinds: Kinds,
  context: ImageContext & { readonly imageUsed: boolean },
): JudgedName[] {
  const { usage, policy, criManaged, imageUsed } = context;
  const { image } = entry;
  const own = entry.names.map(({ name }, i) => kindOf(name, kinds[i]));
  // What an image is does not change while its names go one after the other.
  const all = context.before?.names.get(image.target)?.map((name) => kindOf(name)) ?? own;
  const byName = context.usedByName.has(image.target);
  const listed = listedNames(policy.remove, image, all);
  const protection = {
    policy,
    mode: context.mode,
    history: context.history,
    now: context.state.takenAt,
    namespace: context.namespace.name,
    held: context.held,
    newest: context.newest,
    backoff: context.backoff,
    imageInUse: imageUsed || byName,
    imageIsDangling: criManaged && all.every(({ kind }) => kind === "id" || kind === "dangling"),
  };
  return entry.names.map((name, i) => {
    const { kind, repository } = own[i] ?? kindOf(name.name);
    const uses = (byName && usage.names.get(name.name)) || none;
    const ofRepository = (repository !== undefined && usage.repositories.get(repository)) || none;
    const isListed = listed.has(name.name);
    const protections = protectionsOf({ image, name, kind, listed: isListed }, protection);
    const reasons = joined(uses, ofRepository, usage.unresolved, protections);
    return { name, kind, repository, reasons, listed: isListed };
  });
}

function kindOf(name: string, known: ClassifiedName = classifyName(name)): KindOfName {
  return { name, kind: known.kind, repository: known.repository };
}

const none: readonly Reason[] = [];

/** Most names have no reason to stay, or one kind of them: a list is made only where there are more. */
function joined(...lists: readonly (readonly Reason[])[]): readonly Reason[] {
  let all = none;
  for (const list of lists) if (list.length > 0) all = all.length === 0 ? list : [...all, ...list];
  return all;
}
