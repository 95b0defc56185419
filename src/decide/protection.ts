// Reasons to stay that do not come from a use: pins, keep patterns, ages, filters. A list of small pure functions.
import type { Digest } from "../image/digest.ts";
import type { Image, ImageName, Instant } from "../image/node-state.ts";
import { firstSight, type History, type Sighting } from "./history.ts";
import { matchesLabel } from "./label-filter.ts";
import type { NameKind } from "./name-kind.ts";
import type { Policy } from "./policy.ts";
import type { Reason } from "./reason.ts";

/** What a protection may look at. */
export interface ProtectionContext {
  readonly policy: Policy;
  readonly history: History;
  readonly now: Instant;
  readonly namespace: string;
  /** Blobs that leases and running pulls hold. */
  readonly held: ReadonlySet<Digest>;
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
}

type Protection = (candidate: Candidate, context: ProtectionContext) => Reason | undefined;

const protections: readonly Protection[] = [
  pinned,
  held,
  keepPattern,
  tooYoung,
  recentlyUsed,
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
  return match === undefined ? undefined : { code: "keep-pattern", detail: `keep pattern ${match.text}` };
}

function tooYoung({ image, name }: Candidate, context: ProtectionContext): Reason | undefined {
  const { minAge } = context.policy;
  if (minAge <= 0) return undefined;
  const age = context.now - pulledAt(name, sightings(image, name, context).name);
  if (age >= minAge) return undefined;
  return { code: "too-young", detail: `${describeDuration(age)} old, less than ${describeDuration(minAge)}` };
}

/** The runtime's record time tells the last pull; where it does not, the first sight is the best there is. */
function pulledAt(name: ImageName, sighting: Sighting): Instant {
  const recorded = recordTime(name);
  return recorded ?? sighting.firstSeen;
}

/** Spare names of an image in use are judged by their own last use, names of an unused image by the younger of the two. */
function recentlyUsed({ image, name }: Candidate, context: ProtectionContext): Reason | undefined {
  const { unusedFor } = context.policy;
  if (unusedFor <= 0) return undefined;
  const seen = sightings(image, name, context);
  const lastUsed = context.imageInUse ? seen.name.lastUsed : Math.max(seen.name.lastUsed, seen.image.lastUsed);
  const idle = context.now - lastUsed;
  if (idle >= unusedFor) return undefined;
  return {
    code: "recently-used",
    detail: `unused for ${describeDuration(idle)}, less than ${describeDuration(unusedFor)}`,
  };
}

function filteredByTime({ name }: Candidate, { policy }: ProtectionContext): Reason | undefined {
  if (policy.until.length === 0) return undefined;
  const created = name.createdAt;
  if (created !== undefined && policy.until.every((limit) => created < limit)) return undefined;
  const when = created === undefined ? "of unknown age" : `created ${new Date(created).toISOString()}`;
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

function sightings(image: Image, name: ImageName, { history, now, namespace }: ProtectionContext) {
  const known = history.namespaces.get(namespace);
  const assumed = history.unknown === "just-used" ? now : (recordTime(name) ?? 0);
  const unknown = firstSight(assumed);
  return { image: known?.images.get(image.target) ?? unknown, name: known?.names.get(name.name) ?? unknown };
}

function recordTime(name: ImageName): Instant | undefined {
  if (name.createdAt === undefined) return name.updatedAt;
  return Math.max(name.createdAt, name.updatedAt ?? name.createdAt);
}

/** A duration as people write it: `45s`, `12m`, `3h`, `2d`. */
export function describeDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (Math.abs(seconds) < 120) return `${seconds}s`;
  const minutes = Math.round(seconds / 60);
  if (Math.abs(minutes) < 120) return `${minutes}m`;
  const hours = Math.round(minutes / 60);
  return Math.abs(hours) < 48 ? `${hours}h` : `${Math.round(hours / 24)}d`;
}
