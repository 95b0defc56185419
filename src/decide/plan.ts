// The plan: a verdict with reasons for every name and every image, the order of removal, and the bytes it frees. Pure.
import type { Digest } from "../image/digest.ts";
import type { Image, Instant, NodeState } from "../image/node-state.ts";
import type { Brake } from "./brake.ts";
import { type Choice, choose, modesFor } from "./choose.ts";
import { currentUses } from "./current-uses.ts";
import type { Demand, DemandMode } from "./demand.ts";
import { followsDocker } from "./docker-names.ts";
import type { CurrentUses, History } from "./history.ts";
import { type ImageIndex, type IndexedImage, indexImages } from "./image-index.ts";
import { ImageSights } from "./image-sight.ts";
import { type JudgedNamespace, judgeNamespace, ofEachImage, settleNames } from "./judge.ts";
import { supersededImages } from "./newest-tags.ts";
import { holdersOf } from "./numbered-content.ts";
import { type OrderName, ordersBySuccession } from "./order.ts";
import { parentsIn } from "./parents.ts";
import type { Policy } from "./policy.ts";
import type { Reason, RemoveCode } from "./reason.ts";
import { beforeIn, sameChoice } from "./recheck.ts";
import { RemovedSet } from "./removed-set.ts";
import { SharedContent } from "./shared-content.ts";
import type { Memory } from "./sightings.ts";
import { unseenContainers } from "./unseen-containers.ts";
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
  /** How often a use of it began, as far as it was watched. Default 0. */
  readonly timesUsed?: number;
  /** The last moment at which something used it, or what is assumed where no use was seen; absent when nothing is known. */
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
  const judged = judgeNamespaces({ ...input, history }, indexes, modesFor(demand, excess));
  const memory = { history, now: state.takenAt };
  const sights = sightsOf(judged, memory);
  const choice =
    input.recheck === undefined
      ? choose({
          ...{ judged, sights, content, policy, demand, excess },
          now: state.takenAt,
          superseded: supersededIn(judged, memory, policy.order),
          parents: followsDocker(state) ? parentsIn(state.namespaces) : undefined,
        })
      : sameChoice(input.recheck, judged);
  const details: RemoveDetails = demand === undefined ? {} : { pressure: demand.because };
  const named = judged.flatMap((one) => {
    const decisions = one.index.images.map((_, at) => choice.decisionsOf(one, at));
    // ID names that others need stay, whatever was chosen.
    const settled = settleNames(state, one, decisions);
    return settled.map((names, at) => one.unneeded.verdictAt(at, names) ?? judgeByNames(names, details));
  });
  return assemble({ input, judged, sights, content, excess, choice, named });
}

function judgeNamespaces(
  input: PlanInput,
  indexes: readonly ImageIndex[],
  modes: readonly DemandMode[],
): readonly JudgedNamespace[] {
  const { state, history, policy, recheck } = input;
  let first = 0;
  return state.namespaces.map((namespace, i) => {
    const index = indexes[i] as ImageIndex;
    const backoff = input.backoff?.get(namespace.name);
    const before = recheck && beforeIn(recheck, namespace.name);
    const judged = judgeNamespace({ namespace, first, index, state, history, policy, backoff, modes, before });
    first += index.images.length;
    return judged;
  });
}

type NodeMemory = Pick<Memory, "history" | "now">;

function sightsOf(judged: readonly JudgedNamespace[], memory: NodeMemory): ImageSights {
  const sights = new ImageSights(imagesOf(judged));
  for (const { namespace, first, index } of judged) sights.look(first, index, { ...memory, namespace });
  return sights;
}

/** 1 for images that are superseded, by number; all 0 when the order does not ask. */
function supersededIn(judged: readonly JudgedNamespace[], memory: NodeMemory, order: OrderName): Uint8Array {
  const superseded = new Uint8Array(imagesOf(judged));
  if (!ordersBySuccession.has(order)) return superseded;
  for (const { namespace, first, index } of judged) {
    const images = supersededImages(index, { ...memory, namespace });
    index.images.forEach((entry, at) => {
      if (images.has(entry)) superseded[first + at] = 1;
    });
  }
  return superseded;
}

function imagesOf(judged: readonly JudgedNamespace[]): number {
  return judged.reduce((sum, { index }) => sum + index.images.length, 0);
}

interface Parts {
  readonly input: PlanInput;
  readonly judged: readonly JudgedNamespace[];
  readonly sights: ImageSights;
  readonly content: SharedContent;
  readonly excess: number;
  readonly choice: Choice;
  /** By the numbers of images. */
  readonly named: readonly Named[];
}

function assemble({ input, judged, sights, content, excess, choice, named }: Parts): Plan {
  const { demand, state } = input;
  const gone = new RemovedSet(content);
  const going = choice.taken.filter(({ number }) => named[number]?.action === "delete");
  const goes = new Uint8Array(named.length);
  const gains = new Float64Array(named.length);
  for (const { number } of going) {
    goes[number] = 1;
    gains[number] = gone.add(number);
  }
  // Made in the order of the images, which lie in memory in that order, and put into the order of removal afterwards.
  const verdicts = ofEachImage(judged, ({ namespace, first, index }, at): ImageVerdict => {
    const number = first + at;
    const { action, names, reasons } = named[number] as Named;
    const { image } = index.images[at] as IndexedImage;
    const bytes = content.alone(number);
    const bytesInPlan = gains[number] ?? 0;
    const timesUsed = sights.timesUsed[number] ?? 0;
    const lastUsed = sights.lastUsed[number] ?? 0;
    const pulled = sights.pulled[number] ?? 0;
    if (lastUsed > 0 && pulled > 0) {
      const age = state.takenAt - pulled;
      return { action, namespace, image, names, reasons, bytes, bytesInPlan, timesUsed, lastUsed, age };
    }
    // What has no record to tell of it says nothing of its times.
    return {
      ...{ action, namespace, image, names, reasons, bytes, bytesInPlan, timesUsed },
      ...(lastUsed > 0 ? { lastUsed } : {}),
      ...(pulled > 0 ? { age: state.takenAt - pulled } : {}),
    };
  });
  const removed = going.map(({ number }) => verdicts[number] as ImageVerdict);
  const images = removed.concat(verdicts.filter((_, number) => goes[number] === 0));
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
    warnings: [...unseenContainers(state.runtime), ...judged.flatMap(({ usage }) => usage.warnings)],
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
