// The plan: a verdict with reasons for every name and every image, the order of removal, and the bytes it frees. Pure.
import type { Digest } from "../image/digest.ts";
import type { Image, Instant, NodeState } from "../image/node-state.ts";
import type { Brake } from "./brake.ts";
import { type Choice, choose, modesFor, type Subject } from "./choose.ts";
import { currentUses } from "./current-uses.ts";
import type { Demand } from "./demand.ts";
import { followsDocker } from "./docker-names.ts";
import type { CurrentUses, History } from "./history.ts";
import { type ImageIndex, type IndexedImage, indexImages } from "./image-index.ts";
import { type ImageSight, imageSights } from "./image-sight.ts";
import { type JudgedNamespace, judgeNamespace, settleNames } from "./judge.ts";
import { supersededImages } from "./newest-tags.ts";
import { holdersOf } from "./numbered-content.ts";
import { type OrderName, ordersBySuccession } from "./order.ts";
import { parentsIn } from "./parents.ts";
import type { Policy } from "./policy.ts";
import type { Reason, RemoveCode } from "./reason.ts";
import { beforeIn, sameChoice } from "./recheck.ts";
import { RemovedSet } from "./removed-set.ts";
import type { NameDecision } from "./retention.ts";
import { SharedContent } from "./shared-content.ts";
import { judgeByNames, type Named, type RemoveDetails } from "./verdict.ts";
import { atLook } from "./watched-time.ts";

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
  /** Verdicts in the order of removal; after them those on images that stay, by namespace, then by the image's first name. */
  readonly images: readonly ImageVerdict[];
  /** Bytes that carrying the plan out frees. */
  readonly plannedBytes: number;
  /** Inodes that carrying the plan out frees: an estimate. */
  readonly plannedInodes: number;
  /** True when all bytes are sums of sizes that the runtime tells, because it does not tell what images share. */
  readonly approximate: boolean;
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
  const { state, policy, demand } = input;
  const history = atLook(input.history, state.takenAt, input.maxGap);
  const indexes = state.namespaces.map(indexImages);
  const content = new SharedContent(state, holdersOf(state.namespaces, indexes));
  const excess = Math.max(0, content.totalBytes - (policy.maxImageBytes ?? Number.POSITIVE_INFINITY));
  const modes = modesFor(demand, excess);
  const judged = state.namespaces.map((namespace, i) => {
    const index = indexes[i] as ImageIndex;
    const backoff = input.backoff?.get(namespace.name);
    const before = input.recheck && beforeIn(input.recheck, namespace.name);
    return judgeNamespace({ namespace, index, state, history, policy, backoff, modes, before });
  });
  const subjects = subjectsOf(judged, { history, now: state.takenAt, order: policy.order });
  const choice =
    input.recheck === undefined
      ? choose({
          subjects,
          content,
          policy,
          now: state.takenAt,
          demand,
          excess,
          parents: followsDocker(state) ? parentsIn(state.namespaces) : undefined,
        })
      : sameChoice(input.recheck, subjects);
  const settled = settle(state, judged, subjects, choice);
  const details: RemoveDetails = demand === undefined ? {} : { pressure: demand.because };
  const named = subjects.map(({ judged: { unneeded }, at, number }) => {
    const decisions = settled[number] ?? [];
    return unneeded.verdictAt(at, decisions) ?? judgeByNames(decisions, details);
  });
  return assemble({ input, judged, subjects, content, excess, choice, named });
}

/** Numbered as in the shared content: images without any name come last there. */
function subjectsOf(
  judged: readonly JudgedNamespace[],
  memory: { readonly history: History; readonly now: Instant; readonly order: OrderName },
): readonly Subject[] {
  const subjects: Subject[] = [];
  for (const one of judged) {
    const here = { ...memory, namespace: one.namespace };
    const superseded = ordersBySuccession.has(memory.order) ? supersededImages(one.index, here) : nobody;
    const sights = imageSights(one.index, here);
    one.index.images.forEach((entry, at) => {
      const sight = sights[at] as ImageSight;
      subjects.push({ number: subjects.length, judged: one, at, entry, sight, superseded: superseded.has(entry) });
    });
  }
  return subjects;
}

const nobody: ReadonlySet<IndexedImage> = new Set();

/** The decisions of all images by number. ID names that others need stay, whatever was chosen. */
function settle(
  state: NodeState,
  judged: readonly JudgedNamespace[],
  subjects: readonly Subject[],
  choice: Choice,
): readonly (readonly NameDecision[])[] {
  const decisions = subjects.map((subject) => choice.decisionsOf(subject));
  let from = 0;
  return judged.flatMap(({ index }) => {
    const own = decisions.slice(from, from + index.images.length);
    from += index.images.length;
    return settleNames(state, index, own);
  });
}

interface Parts {
  readonly input: PlanInput;
  readonly judged: readonly JudgedNamespace[];
  readonly subjects: readonly Subject[];
  readonly content: SharedContent;
  readonly excess: number;
  readonly choice: Choice;
  readonly named: readonly Named[];
}

function assemble({ input, judged, subjects, content, excess, choice, named }: Parts): Plan {
  const { demand, state } = input;
  const gone = new RemovedSet(content);
  const going = choice.taken.filter(({ number }) => named[number]?.action === "delete");
  const gains: (number | undefined)[] = subjects.map(() => undefined);
  for (const { number } of going) gains[number] = gone.add(number);
  // Made in the order of the images, which lie in memory in that order, and put into the order of removal afterwards.
  const verdicts = subjects.map((subject, number) => {
    return imageVerdict(subject, named[number] as Named, content.alone(number), gains[number] ?? 0, state.takenAt);
  });
  const removed = going.map(({ number }) => verdicts[number] as ImageVerdict);
  const images = removed.concat(verdicts.filter((_, number) => gains[number] === undefined));
  const uses = new Map(judged.map(({ namespace, usage }) => [namespace, currentUses(usage)]));
  return {
    takenAt: state.takenAt,
    images,
    plannedBytes: gone.bytes,
    plannedInodes: gone.inodes,
    approximate: state.runtime.exactBytes === false,
    ...(demand === undefined ? {} : { demand }),
    shortfall: Math.max(0, Math.max(demand?.bytes ?? 0, excess) - gone.bytes),
    brakes: input.backoff === undefined ? choice.brakes : [...choice.brakes, ...backoffBrake(images)],
    uses,
    warnings: judged.flatMap(({ usage }) => usage.warnings),
  };
}

/** What has no record to tell of it says nothing of its times. */
function imageVerdict(
  { judged: { namespace }, entry: { image }, sight: { lastUsed, pulled } }: Subject,
  { action, names, reasons }: Named,
  bytes: number,
  bytesInPlan: number,
  now: Instant,
): ImageVerdict {
  if (lastUsed > 0 && pulled > 0) {
    return { action, namespace, image, names, reasons, bytes, bytesInPlan, lastUsed, age: now - pulled };
  }
  return {
    ...{ action, namespace, image, names, reasons, bytes, bytesInPlan },
    ...(lastUsed > 0 ? { lastUsed } : {}),
    ...(pulled > 0 ? { age: now - pulled } : {}),
  };
}

/** Images that nothing but waiting keeps. */
function backoffBrake(images: readonly ImageVerdict[]): readonly Brake[] {
  const waiting = images.filter(
    ({ action, names }) =>
      action === "keep" && names.every(({ reasons }) => reasons.every(({ code }) => code === "backoff")),
  ).length;
  if (waiting === 0) return [];
  return [{ code: "backoff", detail: `${waiting} images wait, because their removal failed`, images: waiting }];
}
