// What is known of one image, as data: the JSON of `inspect`. Field names are an interface.
import type { FoundImage } from "../decide/find-image.ts";
import type { History } from "../decide/history.ts";
import { sharingOf } from "../decide/image-sharing.ts";
import { createUserFinder } from "../decide/image-users.ts";
import { classifyName } from "../decide/name-kind.ts";
import type { ImageVerdict, Plan } from "../decide/plan.ts";
import type { Reason } from "../decide/reason.ts";
import { measureReclaim } from "../decide/reclaim.ts";
import type { Digest } from "../image/digest.ts";
import type { DigestKind, Image, ImageName, NodeState } from "../image/node-state.ts";
import { sizeOf } from "./image-rows.ts";

export type InspectPage = ReturnType<typeof pageOf>;

export interface InspectInput {
  readonly state: NodeState;
  readonly plan: Plan;
  /** What was remembered before this look. */
  readonly before: History;
  readonly images: readonly FoundImage[];
}

/** One page for each image, in the order in which they were asked for. */
export function inspectPages(input: InspectInput) {
  const usersOf = createUserFinder(input.state);
  return input.images.map((found) => pageOf(found, input, usersOf));
}

function pageOf(found: FoundImage, input: InspectInput, usersOf: ReturnType<typeof createUserFinder>) {
  const { namespace, entry } = found;
  const { image } = entry;
  const { state, plan } = input;
  const verdict = plan.images.find((one) => one.namespace === namespace && one.image.target === image.target);
  const { containers, pods } = usersOf(namespace, image.target);
  const size = sizeOf(image);
  const aloneBytes = verdict?.bytes ?? bytesAlone(found, state);
  const inUse = plan.uses.get(namespace)?.images.has(image.target) ?? false;
  return {
    namespace,
    id: image.id,
    target: image.target,
    digests: image.digests,
    digestKinds: image.digests.map((digest) => ({ digest, kind: kindOf(image, digest) })),
    platform: image.platform ?? null,
    names: verdict === undefined ? [] : namesOf(verdict, entry.names),
    createdAt: timeText(image.createdAt),
    pinned: image.pinned,
    labels: image.labels ?? null,
    parent: image.parent ?? null,
    size,
    aloneBytes,
    plannedBytes: verdict?.action === "delete" ? verdict.bytesInPlan : 0,
    sharedBytes: size - aloneBytes,
    sharedWith: sharingOf(state, namespace, image).map((sharing) => ({
      namespace: sharing.namespace,
      id: sharing.image.id,
      names: namesPointingTo(state, sharing.namespace, sharing.image.target),
      bytes: sharing.bytes,
    })),
    blobs: image.blobs.length,
    snapshots: image.snapshots.length,
    usedBy: [
      ...new Set(reasonsOf(verdict).flatMap(({ code, detail }) => (code.startsWith("used-by") ? [detail] : []))),
    ],
    containers: containers.map(({ id, kind, state: running, pod, image: spelled }) => {
      return { id, kind, state: running, pod: pod ?? null, image: spelled };
    }),
    pods: pods.map((pod) => ({ namespace: pod.namespace, name: pod.name, phase: pod.phase })),
    ...sightingOf(found, input, inUse),
    inUse,
    verdict: verdict?.action ?? "keep",
    reasons: verdict?.reasons ?? [namelessReason],
  };
}

const namelessReason: Reason<string> = {
  code: "no-name",
  detail: "the image has no name at all: prunelet removes names, and the runtime itself looks after the rest",
};

function namesOf({ names, image }: ImageVerdict, stored: readonly ImageName[]) {
  const records = new Map(stored.map((record) => [record.name, record]));
  return names.map(({ name, action, reasons }) => ({
    name,
    kind: classifyName({ name, target: image.target }).kind,
    action,
    createdAt: timeText(records.get(name)?.createdAt),
    updatedAt: timeText(records.get(name)?.updatedAt),
    reasons,
  }));
}

function reasonsOf(verdict: ImageVerdict | undefined): readonly Reason<string>[] {
  return verdict?.names.flatMap((name): readonly Reason<string>[] => name.reasons) ?? [];
}

function kindOf(image: Image, digest: Digest): DigestKind | null {
  const known = image.digestKinds?.[image.digests.indexOf(digest)];
  // Without a word from the runtime, the ID of an image that is not its target can only be its config.
  return known ?? (digest === image.id && image.id !== image.target ? "config" : null);
}

function sightingOf({ namespace, entry }: FoundImage, { state, before }: InspectInput, inUse: boolean) {
  const seen = before.namespaces.get(namespace)?.images.get(entry.image.target);
  return {
    firstSeen: timeText(seen?.firstSeen),
    // What was never seen in use counts from its first sight, which is no use.
    lastUsed: timeText(inUse ? state.takenAt : seen?.timesUsed === 0 ? undefined : seen?.lastUsed),
    timesUsed: seen === undefined ? null : seen.timesUsed + (inUse && !seen.inUse ? 1 : 0),
    lastUsedBy: seen?.usedBy ?? [],
  };
}

function bytesAlone({ namespace, entry }: FoundImage, state: NodeState): number {
  const holders = state.namespaces.flatMap(({ name, images }) => images.map((image) => ({ namespace: name, image })));
  return measureReclaim(state, holders).alone(namespace, entry.image);
}

function namesPointingTo(state: NodeState, namespace: string, target: Digest): string[] {
  const names = state.namespaces.find(({ name }) => name === namespace)?.names ?? [];
  return names.filter((name) => name.target === target).map(({ name }) => name);
}

function timeText(instant: number | undefined): string | null {
  return instant === undefined ? null : new Date(instant).toISOString();
}
