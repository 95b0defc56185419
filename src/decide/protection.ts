// Reasons to stay that do not come from a use: pins, keep patterns, ages, filters, limits of an operator. A list of small pure functions.
import type { Digest } from "../image/digest.ts";
import type { Image, ImageName, Instant } from "../image/node-state.ts";
import { type DemandMode, ignores } from "./demand.ts";
import { describeDuration } from "./duration.ts";
import type { History } from "./history.ts";
import type { ImageIndex } from "./image-index.ts";
import { matchesLabel } from "./label-filter.ts";
import type { NameKind } from "./name-kind.ts";
import { foreignPodNamespace } from "./pod-namespaces.ts";
import type { Policy } from "./policy.ts";
import type { Reason } from "./reason.ts";
import { lastUseOf, pulledAt, sightingsOf } from "./sightings.ts";
import { watchedTime } from "./watched-time.ts";

/** What a protection may look at. */
export interface ProtectionContext {
  readonly policy: Policy;
  /** How urgent it is: some rules do not count when space is needed. */
  readonly mode: DemandMode;
  readonly history: History;
  readonly now: Instant;
  readonly namespace: string;
  /** Images that the runtime marks as pinned. */
  readonly pinned: ReadonlySet<Digest>;
  /** Blobs that leases and running pulls hold. */
  readonly held: ReadonlySet<Digest>;
  /** Names that are among the newest tags of their repository. */
  readonly newest: ReadonlySet<string>;
  /** Images that must wait, each with the reason why in words. */
  readonly backoff: ReadonlyMap<Digest, string> | undefined;
}

/** One name of one image, judged by every protection. */
export interface Candidate {
  readonly image: Image;
  readonly name: ImageName;
  readonly kind: NameKind;
  /** True when the remove list matches: ages and the newest tags of repositories do not count then. */
  readonly listed: boolean;
  /** True when something uses the image now. */
  readonly imageInUse: boolean;
  /** True when the image has neither a tag nor a digest reference. */
  readonly imageIsDangling: boolean;
}

/** Whom a rule may protect: everybody, nobody, or the images with these targets. */
type Concerned = boolean | { has(target: Digest): boolean; keys(): Iterable<Digest> };

/** A rule that may protect names. Most rules have nothing to say about most images, so each says first whom it concerns. */
export interface Protection {
  readonly concerns: (context: ProtectionContext) => Concerned;
  readonly reason: (candidate: Candidate, context: ProtectionContext) => Reason | undefined;
}

const protections: readonly Protection[] = [
  { reason: pinned, concerns: ({ pinned }) => pinned },
  { reason: held, concerns: ({ policy, held }) => policy.semantics === "strict" && held },
  { reason: keepPattern, concerns: ({ policy }) => policy.keep.length > 0 },
  { reason: waiting, concerns: ({ backoff }) => backoff ?? false },
  { reason: tooYoung, concerns: ({ policy, mode }) => policy.minAge > 0 && !ignores(mode, "too-young") },
  { reason: recentlyUsed, concerns: ({ policy, mode }) => hasIdleLimit(policy) && !ignores(mode, "recently-used") },
  {
    reason: newestOfRepository,
    concerns: ({ newest, mode }) => newest.size > 0 && !ignores(mode, "newest-of-repository"),
  },
  { reason: ofPodNamespace, concerns: ({ policy }) => asksForPods(policy) },
  { reason: filteredByTime, concerns: ({ policy }) => policy.until.length > 0 },
  { reason: filteredByLabels, concerns: ({ policy }) => policy.labels.length > 0 },
  { reason: notDangling, concerns: ({ policy }) => policy.danglingOnly },
];

function hasIdleLimit({ unusedFor, danglingFor = 0 }: Policy): boolean {
  return unusedFor > 0 || danglingFor > 0;
}

function asksForPods({ podNamespaces: { only, except } }: Policy): boolean {
  return only.length > 0 || except.length > 0;
}

/** The rules that may protect names of each image of an index, by its place there. */
export class ProtectionsByImage {
  /** Those that may protect any image. */
  readonly #general: readonly Protection[];
  /** All of them, for images that are concerned by more. */
  readonly #special = new Map<number, readonly Protection[]>();

  constructor(index: ImageIndex, context: ProtectionContext) {
    const concerned = protections.map((rule) => ({ rule, whom: rule.concerns(context) }));
    this.#general = concerned.filter(({ whom }) => whom === true).map(({ rule }) => rule);
    for (const { whom } of concerned) {
      if (typeof whom === "boolean") continue;
      for (const target of whom.keys()) {
        const at = index.placeOf(target);
        if (at === undefined || this.#special.has(at)) continue;
        const rules = concerned.filter(({ whom: one }) => (typeof one === "boolean" ? one : one.has(target)));
        this.#special.set(
          at,
          rules.map(({ rule }) => rule),
        );
      }
    }
  }

  at(place: number): readonly Protection[] {
    return this.#special.get(place) ?? this.#general;
  }
}

/** Every reason why a name stays although nothing uses it. Empty when none of the rules protects it. */
export function reasonsOf(
  rules: readonly Protection[],
  candidate: Candidate,
  context: ProtectionContext,
): readonly Reason[] {
  let reasons: Reason[] | undefined;
  for (const rule of rules) {
    const reason = rule.reason(candidate, context);
    if (reason === undefined) continue;
    if (reasons === undefined) reasons = [reason];
    else reasons.push(reason);
  }
  return reasons ?? unprotected;
}

// Most names of most nodes share this one list.
const unprotected: readonly Reason[] = [];

function pinned(): Reason {
  return { code: "pinned", detail: "the runtime marks the image as pinned" };
}

/** Somebody else asked the runtime to keep exactly this image (spec: prune, rule S2). */
function held(): Reason {
  return { code: "held", detail: "a lease or a running pull holds its content" };
}

function keepPattern({ image, name }: Candidate, { policy }: ProtectionContext): Reason | undefined {
  const match = policy.keep.find((pattern) => pattern.matchesName(name.name) || pattern.matchesImage(image));
  if (match !== undefined) return { code: "keep-pattern", detail: `keep pattern ${match.text}` };
  const unsure = image.labels === undefined ? policy.keep.find(({ ofLabel }) => ofLabel) : undefined;
  if (unsure === undefined) return undefined;
  return {
    code: "keep-pattern",
    detail: `keep pattern ${unsure.text} may match: the image's labels could not be read`,
  };
}

function waiting({ image }: Candidate, { backoff }: ProtectionContext): Reason | undefined {
  const detail = backoff?.get(image.target);
  return detail === undefined ? undefined : { code: "backoff", detail };
}

function tooYoung({ image, name, listed }: Candidate, context: ProtectionContext): Reason | undefined {
  if (listed) return undefined;
  const { now, history, policy } = context;
  const { minAge } = policy;
  const age = watchedTime(pulledAt(name, sightingsOf(image, name, context).name.firstSeen, now), now, history.gaps);
  if (age >= minAge) return undefined;
  return { code: "too-young", detail: `${describeDuration(age)} old, less than ${describeDuration(minAge)}` };
}

/** Spare names of an image in use are judged by their own last use, names of an unused image by the younger of the two. */
function recentlyUsed(candidate: Candidate, context: ProtectionContext): Reason | undefined {
  const { image, name, kind, listed, imageInUse, imageIsDangling } = candidate;
  const { policy, now, history } = context;
  const isDangling = kind === "dangling" || imageIsDangling;
  const limit = isDangling ? (policy.danglingFor ?? policy.unusedFor) : policy.unusedFor;
  if (limit <= 0 || listed) return undefined;
  const seen = sightingsOf(image, name, context);
  const idle = watchedTime(imageInUse ? seen.name.lastUsed : lastUseOf(seen), now, history.gaps);
  if (idle >= limit) return undefined;
  return {
    code: "recently-used",
    detail: `unused for ${describeDuration(idle)}, less than ${describeDuration(limit)}`,
  };
}

function newestOfRepository({ name, listed }: Candidate, { policy, newest }: ProtectionContext): Reason | undefined {
  if (listed || !newest.has(name.name)) return undefined;
  const which =
    policy.keepPerRepository === 1 ? "the newest tag" : `one of the ${policy.keepPerRepository} newest tags`;
  return { code: "newest-of-repository", detail: `${which} of its repository` };
}

function ofPodNamespace({ image, name }: Candidate, context: ProtectionContext): Reason | undefined {
  const seen = sightingsOf(image, name, context);
  const detail = foreignPodNamespace(context.policy.podNamespaces, [...seen.image.usedBy, ...seen.name.usedBy]);
  return detail === undefined ? undefined : { code: "pod-namespace", detail };
}

/**
 * Gaps do not make a record older: a clock that jumped forward must not let everything pass. A runtime that does not tell when a
 * name was made is asked for the age of the image, as Docker does on a graph driver.
 */
function filteredByTime({ image, name }: Candidate, { policy, now, history }: ProtectionContext): Reason | undefined {
  const createdAt = name.createdAt ?? image.createdAt;
  const counted =
    createdAt === undefined || createdAt > now ? createdAt : now - watchedTime(createdAt, now, history.gaps);
  if (counted !== undefined && policy.until.every((limit) => counted < limit)) return undefined;
  const when = createdAt === undefined ? "of unknown age" : `created ${new Date(createdAt).toISOString()}`;
  return { code: "filtered", detail: `until filter: ${when}` };
}

function filteredByLabels({ image }: Candidate, { policy }: ProtectionContext): Reason | undefined {
  const { labels } = image;
  if (labels === undefined) return { code: "filtered", detail: "label filter: the image's config could not be read" };
  if (policy.labels.every((filter) => matchesLabel(filter, labels))) return undefined;
  return { code: "filtered", detail: "label filter: the image's labels do not match" };
}

function notDangling({ kind, imageIsDangling }: Candidate): Reason | undefined {
  if (kind === "dangling" || imageIsDangling) return undefined;
  return { code: "not-dangling", detail: "only dangling images are to be removed" };
}
