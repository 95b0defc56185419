// Reasons to stay that do not come from a use: pins, keep patterns, ages, filters, limits of an operator. A list of small pure functions.
import type { Digest } from "../image/digest.ts";
import type { Image, ImageName, Instant } from "../image/node-state.ts";
import { type DemandMode, ignores } from "./demand.ts";
import { describeDuration } from "./duration.ts";
import type { History } from "./history.ts";
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
  /** Blobs that leases and running pulls hold. */
  readonly held: ReadonlySet<Digest>;
  /** Names that are among the newest tags of their repository. */
  readonly newest: ReadonlySet<string>;
  /** Images that must wait, each with the reason why in words. */
  readonly backoff: ReadonlyMap<Digest, string> | undefined;
  /** True when something uses the image now. */
  readonly imageInUse: boolean;
  /** True when the image has neither a tag nor a digest reference. */
  readonly imageIsDangling: boolean;
}

/** One name of one image, judged by every protection. */
export interface Candidate {
  readonly image: Image;
  readonly name: ImageName;
  readonly kind: NameKind;
  /** True when the remove list matches: ages and the newest tags of repositories do not count then. */
  readonly listed: boolean;
}

type Protection = (candidate: Candidate, context: ProtectionContext) => Reason | undefined;

const protections: readonly Protection[] = [
  pinned,
  held,
  keepPattern,
  waiting,
  tooYoung,
  recentlyUsed,
  newestOfRepository,
  ofPodNamespace,
  filteredByTime,
  filteredByLabels,
  notDangling,
];

/** Every reason why a name stays although nothing uses it. Empty when nothing protects it. */
export function protectionsOf(candidate: Candidate, context: ProtectionContext): readonly Reason[] {
  let reasons: Reason[] | undefined;
  for (const protection of protections) {
    const reason = protection(candidate, context);
    if (reason === undefined) continue;
    if (reasons === undefined) reasons = [reason];
    else reasons.push(reason);
  }
  return reasons ?? unprotected;
}

// Most names of most nodes share this one list.
const unprotected: readonly Reason[] = [];

function pinned({ image }: Candidate): Reason | undefined {
  return image.pinned ? { code: "pinned", detail: "the runtime marks the image as pinned" } : undefined;
}

/** Somebody else asked the runtime to keep exactly this image (spec: prune, rule S2). */
function held({ image }: Candidate, context: ProtectionContext): Reason | undefined {
  if (context.policy.semantics === "compat" || !context.held.has(image.target)) return undefined;
  return { code: "held", detail: "a lease or a running pull holds its content" };
}

function keepPattern({ image, name }: Candidate, { policy }: ProtectionContext): Reason | undefined {
  const match = policy.keep.find((pattern) => pattern.matchesName(name.name) || pattern.matchesImage(image));
  if (match !== undefined) return { code: "keep-pattern", detail: `keep pattern ${match.text}` };
  const unsure = policy.keep.find((pattern) => pattern.isUnsure(image));
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
  const { minAge } = context.policy;
  if (minAge <= 0 || listed || ignores(context.mode, "too-young")) return undefined;
  const { now, history } = context;
  const age = watchedTime(pulledAt(name, sightingsOf(image, name, context).name, now), now, history.gaps);
  if (age >= minAge) return undefined;
  return { code: "too-young", detail: `${describeDuration(age)} old, less than ${describeDuration(minAge)}` };
}

/** Spare names of an image in use are judged by their own last use, names of an unused image by the younger of the two. */
function recentlyUsed({ image, name, kind, listed }: Candidate, context: ProtectionContext): Reason | undefined {
  const { policy, imageInUse, imageIsDangling, now, history, mode } = context;
  const isDangling = kind === "dangling" || imageIsDangling;
  const limit = isDangling ? (policy.danglingFor ?? policy.unusedFor) : policy.unusedFor;
  if (limit <= 0 || listed || ignores(mode, "recently-used")) return undefined;
  const seen = sightingsOf(image, name, context);
  const idle = watchedTime(imageInUse ? seen.name.lastUsed : lastUseOf(seen), now, history.gaps);
  if (idle >= limit) return undefined;
  return {
    code: "recently-used",
    detail: `unused for ${describeDuration(idle)}, less than ${describeDuration(limit)}`,
  };
}

function newestOfRepository(
  { name, listed }: Candidate,
  { policy, mode, newest }: ProtectionContext,
): Reason | undefined {
  if (listed || ignores(mode, "newest-of-repository") || !newest.has(name.name)) return undefined;
  const which =
    policy.keepPerRepository === 1 ? "the newest tag" : `one of the ${policy.keepPerRepository} newest tags`;
  return { code: "newest-of-repository", detail: `${which} of its repository` };
}

function ofPodNamespace({ image, name }: Candidate, context: ProtectionContext): Reason | undefined {
  const { podNamespaces } = context.policy;
  if (podNamespaces.only.length === 0 && podNamespaces.except.length === 0) return undefined;
  const seen = sightingsOf(image, name, context);
  const detail = foreignPodNamespace(podNamespaces, [...seen.image.usedBy, ...seen.name.usedBy]);
  return detail === undefined ? undefined : { code: "pod-namespace", detail };
}

/**
 * Gaps do not make a record older: a clock that jumped forward must not let everything pass. A runtime that does not tell when a
 * name was made is asked for the age of the image, as Docker does on a graph driver.
 */
function filteredByTime({ image, name }: Candidate, { policy, now, history }: ProtectionContext): Reason | undefined {
  if (policy.until.length === 0) return undefined;
  const createdAt = name.createdAt ?? image.createdAt;
  const counted =
    createdAt === undefined || createdAt > now ? createdAt : now - watchedTime(createdAt, now, history.gaps);
  if (counted !== undefined && policy.until.every((limit) => counted < limit)) return undefined;
  const when = createdAt === undefined ? "of unknown age" : `created ${new Date(createdAt).toISOString()}`;
  return { code: "filtered", detail: `until filter: ${when}` };
}

function filteredByLabels({ image }: Candidate, { policy }: ProtectionContext): Reason | undefined {
  if (policy.labels.length === 0) return undefined;
  const { labels } = image;
  if (labels === undefined) return { code: "filtered", detail: "label filter: the image's config could not be read" };
  if (policy.labels.every((filter) => matchesLabel(filter, labels))) return undefined;
  return { code: "filtered", detail: "label filter: the image's labels do not match" };
}

function notDangling({ kind }: Candidate, { policy, imageIsDangling }: ProtectionContext): Reason | undefined {
  if (!policy.danglingOnly || kind === "dangling" || imageIsDangling) return undefined;
  return { code: "not-dangling", detail: "only dangling images are to be removed" };
}
