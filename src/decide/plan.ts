// The plan: a verdict with reasons for every name and every image, the order of removal, and the bytes it frees. Pure.
import type { Digest } from "../image/digest.ts";
import type { Image, Instant, NamespaceState, NodeState } from "../image/node-state.ts";
import { compareBytes } from "../image/order.ts";
import type { Brake } from "./brake.ts";
import { keepWhatCannotBeUntagged } from "./cannot-untag.ts";
import { isCriNamespace } from "./cri-namespace.ts";
import type { Demand } from "./demand.ts";
import type { CurrentUses, History } from "./history.ts";
import { type ImageIndex, type IndexedImage, indexImages } from "./image-index.ts";
import { classifyName } from "./name-kind.ts";
import type { Policy } from "./policy.ts";
import { protectionsOf } from "./protection.ts";
import type { Reason, RemoveCode } from "./reason.ts";
import { measureReclaim, type NamespacedImage } from "./reclaim.ts";
import { type JudgedName, type NameDecision, retainCriNames, retainLastName } from "./retention.ts";
import { keepSharedIds } from "./shared-id.ts";
import { findUses, type Usage } from "./usage.ts";

/** What becomes of one name. */
export type NameVerdict =
  | { readonly action: "keep"; readonly name: string; readonly target: Digest; readonly reasons: readonly Reason[] }
  | {
      readonly action: "untag";
      readonly name: string;
      readonly target: Digest;
      readonly reasons: readonly Reason<RemoveCode>[];
    };

/** What becomes of one image. It is deleted when none of its names stays. */
export interface ImageVerdict {
  readonly action: "keep" | "delete";
  readonly namespace: string;
  readonly image: Image;
  /** Every name of the image, in the order in which they are removed. */
  readonly names: readonly NameVerdict[];
  readonly reasons: readonly Reason<string>[];
  /** Bytes that removing this image alone would free. */
  readonly bytes: number;
  /** Bytes that it frees when it goes after all that the plan removes before it; 0 when it stays. They add up to `plannedBytes`. */
  readonly bytesInPlan: number;
  /** The last moment at which something used it; absent when that is not known. */
  readonly lastUsed?: Instant;
  /** Milliseconds since it was pulled or first seen; absent when that is not known. */
  readonly age?: number;
}

export interface Plan {
  readonly takenAt: Instant;
  /** Verdicts in the order of removal: by namespace, then by the image's first name. */
  readonly images: readonly ImageVerdict[];
  /** Bytes that carrying the plan out frees. */
  readonly plannedBytes: number;
  /** True when all bytes are sums of sizes that the runtime tells, because it does not tell what images share. */
  readonly approximate: boolean;
  /** Inodes that carrying the plan out frees: an estimate. */
  readonly plannedInodes: number;
  /** What had to be freed now, when something had to. */
  readonly demand?: Demand;
  /** Bytes of the demand, and of the budget for all images, that the plan cannot free. */
  readonly shortfall: number;
  /** Every limit that acted. */
  readonly brakes: readonly Brake[];
  /** What is in use now, per namespace: the memory of the next rounds. */
  readonly uses: ReadonlyMap<string, CurrentUses>;
  /** One line for each thing an operator should know. */
  readonly warnings: readonly string[];
}

export interface PlanInput {
  readonly state: NodeState;
  readonly history: History;
  readonly policy: Policy;
  /** What must be freed now. Default: nothing beyond what the policy removes. */
  readonly demand?: Demand;
  /** Images that must wait, by namespace and target, each with the reason why in words. */
  readonly backoff?: ReadonlyMap<string, ReadonlyMap<Digest, string>>;
  /**
   * Milliseconds between two looks beyond which the time between them counts as no time: nobody looked, or the clock
   * jumped. Undefined: all time counts.
   */
  readonly maxGap?: number;
  /** A plan that is being carried out: what it removes is judged again, and nothing else is chosen. */
  readonly recheck?: Plan;
}

/** Decides what goes and what stays. The same input always gives the same plan. Time is `state.takenAt`. */
export function makePlan(input: PlanInput): Plan {
  const judged = input.state.namespaces.map((namespace) => judgeNamespace(namespace, input));
  const reclaim = measureReclaim(input.state, holdersOf(input.state, judged));
  const images = judged.flatMap(({ namespace, verdicts }) =>
    verdicts.map((verdict): ImageVerdict => {
      return { ...verdict, bytes: reclaim.alone(namespace, verdict.image), bytesInPlan: 0 };
    }),
  );
  return {
    takenAt: input.state.takenAt,
    images,
    plannedInodes: 0,
    shortfall: 0,
    brakes: [],
    plannedBytes: reclaim.together(images.filter((verdict) => verdict.action === "delete")),
    approximate: input.state.runtime.exactBytes === false,
    uses: new Map(judged.map(({ namespace, usage, index }) => [namespace, currentUses(usage, index)])),
    warnings: judged.flatMap(({ usage }) => usage.warnings),
  };
}

type Unmeasured = Omit<ImageVerdict, "bytes" | "bytesInPlan">;

interface JudgedNamespace {
  readonly namespace: string;
  readonly index: ImageIndex;
  readonly usage: Usage;
  readonly verdicts: readonly Unmeasured[];
}

/** Every image holds its content, those without any name included. */
function holdersOf(state: NodeState, judged: readonly JudgedNamespace[]): NamespacedImage[] {
  const named = judged.flatMap(({ namespace, index }) => index.images.map(({ image }) => ({ namespace, image })));
  const targets = new Map(judged.map(({ namespace, index }) => [namespace, index.byTarget]));
  const nameless = state.namespaces.flatMap(({ name, images }) =>
    images.filter(({ target }) => !targets.get(name)?.has(target)).map((image) => ({ namespace: name, image })),
  );
  return [...named, ...nameless];
}

function judgeNamespace(namespace: NamespaceState, input: PlanInput): JudgedNamespace {
  const index = indexImages(namespace);
  const criManaged = isCriNamespace(namespace.name);
  const { pods } = input.state;
  const usage = findUses({ namespace, index, pods, semantics: input.policy.semantics, criManaged });
  const context: ImageContext = { namespace, usage, input, criManaged, held: new Set(namespace.held.blobs) };
  const decisions = index.images.map((entry) => decideImage(entry, context));
  const whole = input.state.runtime.untag === false;
  const shared = keepSharedIds(index.images, decisions);
  const settled = whole ? shared.map(keepWhatCannotBeUntagged) : shared;
  const verdicts = index.images.map((entry, i) => toVerdict(namespace.name, entry, settled[i] ?? []));
  return { namespace: namespace.name, index, usage, verdicts };
}

function isCriManagedImage(entry: IndexedImage): boolean {
  return entry.names.some((name) => name.labels["io.cri-containerd.image"] === "managed");
}

interface ImageContext {
  readonly namespace: NamespaceState;
  readonly usage: Usage;
  readonly input: PlanInput;
  readonly criManaged: boolean;
  readonly held: ReadonlySet<Digest>;
}

function decideImage(entry: IndexedImage, context: ImageContext): NameDecision[] {
  const { usage, input } = context;
  const criManaged = input.policy.semantics === "strict" && (context.criManaged || isCriManagedImage(entry));
  const imageUses = usage.images.get(entry.image.target) ?? [];
  const names = judgeNames(entry, { ...context, criManaged }, imageUses.length > 0);
  if (!criManaged) return retainLastName({ names, imageUses });
  return retainCriNames({ names, imageUses, podsKnown: input.state.pods !== null });
}

function judgeNames(entry: IndexedImage, context: ImageContext, imageUsed: boolean): JudgedName[] {
  const { usage, input, criManaged } = context;
  const classified = entry.names.map((name) => {
    const { kind, repository } = classifyName(name.name);
    return { name, kind, repository };
  });
  const protection = {
    policy: input.policy,
    history: input.history,
    now: input.state.takenAt,
    namespace: context.namespace.name,
    held: context.held,
    imageInUse: imageUsed || entry.names.some((name) => usage.names.has(name.name)),
    imageIsDangling: criManaged && classified.every(({ kind }) => kind === "id" || kind === "dangling"),
  };
  return classified.map(({ name, kind, repository }) => {
    const uses = usage.names.get(name.name) ?? none;
    const ofRepository = (repository !== undefined && usage.repositories.get(repository)) || none;
    const protections = protectionsOf({ image: entry.image, name, kind }, protection);
    const reasons = joined(uses, ofRepository, usage.unresolved, protections);
    return repository === undefined ? { name, kind, reasons } : { name, kind, repository, reasons };
  });
}

const none: readonly Reason[] = [];

/** Most names have no reason to stay, or one kind of them: a list is made only where there are more. */
function joined(...lists: readonly (readonly Reason[])[]): readonly Reason[] {
  let all = none;
  for (const list of lists) if (list.length > 0) all = all.length === 0 ? list : [...all, ...list];
  return all;
}

// Tags go first and the ID name last, so that an interrupted removal never leaves a tag on half an image.
const removalOrder = { tag: 0, other: 0, "digest-reference": 1, dangling: 2, id: 3 } as const;

function toVerdict(namespace: string, entry: IndexedImage, decisions: readonly NameDecision[]): Unmeasured {
  const names = decisions
    .toSorted((a, b) => removalOrder[a.kind] - removalOrder[b.kind] || compareBytes(a.name.name, b.name.name))
    .map(nameVerdict);
  const kept = names.filter((verdict) => verdict.action === "keep");
  const action = kept.length > 0 ? "keep" : "delete";
  const reasons = uniqueReasons(
    (action === "keep" ? kept : names).flatMap((verdict): readonly Reason<string>[] => verdict.reasons),
  );
  return { action, namespace, image: entry.image, names, reasons };
}

function nameVerdict({ name, keep, remove }: NameDecision): NameVerdict {
  if (remove === undefined) return { action: "keep", name: name.name, target: name.target, reasons: keep };
  return {
    action: "untag",
    name: name.name,
    target: name.target,
    reasons: removeReasons[remove],
  };
}

const removeReasons: Readonly<Record<RemoveCode, readonly Reason<RemoveCode>[]>> = {
  unused: [{ code: "unused", detail: "nothing uses the image" }],
  "spare-name": [{ code: "spare-name", detail: "the image stays under another name" }],
  "remove-list": [{ code: "remove-list", detail: "a pattern of the remove list matches" }],
  pressure: [{ code: "pressure", detail: "the disk is full" }],
  "over-budget": [{ code: "over-budget", detail: "images take more than they may" }],
  dangling: [{ code: "dangling", detail: "the image has neither a tag nor a digest reference" }],
};

/** Each pair of code and detail once, in the order in which they come first. */
function uniqueReasons(reasons: readonly Reason<string>[]): readonly Reason<string>[] {
  if (reasons.length < 2) return reasons;
  const seen = new Map<string, Set<string>>();
  return reasons.filter(({ code, detail }) => {
    const details = seen.get(code);
    if (details === undefined) seen.set(code, new Set([detail]));
    else if (details.has(detail)) return false;
    else details.add(detail);
    return true;
  });
}

function currentUses(usage: Usage, index: ImageIndex): CurrentUses {
  const byName = index.images.filter(({ names }) => names.some(({ name }) => usage.names.has(name)));
  const images = new Set([...usage.images.keys(), ...byName.map(({ image }) => image.target)]);
  const nobodyTold = new Map([...images].map((target) => [target, []]));
  return { images: nobodyTold, names: new Map([...usage.names.keys()].map((name) => [name, []])) };
}
