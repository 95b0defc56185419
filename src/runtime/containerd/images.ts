// From drafts to images: one per target. Pure.
import { type Digest, toDigest } from "../../image/digest.ts";
import type { DigestKind, Image, ImageName } from "../../image/node-state.ts";
import type { ImageDraft } from "./image-draft.ts";

const parentLabel = "org.mobyproject.image.parent";
const pinnedLabel = "io.cri-containerd.pinned";

/**
 * Finishes the drafts, after their snapshots were measured. `pinnedIds` are the image IDs that CRI calls pinned. Images whose
 * draft and pin did not change are the objects that they were.
 */
export function finishImages(drafts: readonly ImageDraft[], pinnedIds: ReadonlySet<string>): readonly Image[] {
  const alike = new Alike();
  const pinned = new Set(pinnedIds);
  for (const { names, identity } of drafts) if (names.some(isPinned)) pinned.add(identity.id);
  return drafts.map((draft) => {
    const isItsPinned = pinned.has(draft.identity.id);
    if (draft.image?.pinned !== isItsPinned) draft.image = finish(draft, isItsPinned, alike);
    return draft.image;
  });
}

/** Most images have the same few platforms and lists of kinds: one copy is enough for all of them. */
class Alike {
  readonly #kinds = new Map<string, readonly DigestKind[]>();
  readonly #texts = new Map<string, string>();

  kinds(kinds: readonly DigestKind[]): readonly DigestKind[] {
    return oneOf(this.#kinds, kinds.join(), kinds);
  }

  text(text: string): string {
    return oneOf(this.#texts, text, text);
  }
}

function oneOf<Value>(known: Map<string, Value>, key: string, value: Value): Value {
  if (!known.has(key)) known.set(key, value);
  return known.get(key) ?? value;
}

function finish(from: ImageDraft, pinned: boolean, alike: Alike): Image {
  const { target, names, identity, reached } = from;
  const { config } = identity;
  const parent = parentOf(names) ?? toDigest(config?.labels?.[parentLabel] ?? "");
  return {
    target,
    id: identity.id,
    digests: identity.digests,
    ...(identity.kinds.length === 0 ? {} : { digestKinds: alike.kinds(identity.kinds) }),
    pinned,
    blobs: reached.blobs.map((node) => node.blob),
    snapshots: reached.snapshots.flatMap((node) => node.layer ?? []),
    ...(config?.labels ? { labels: config.labels } : {}),
    ...(config?.platform ? { platform: alike.text(`${config.platform.os}/${config.platform.architecture}`) } : {}),
    ...(config?.createdAt === undefined ? {} : { createdAt: config.createdAt }),
    ...(parent ? { parent } : {}),
  };
}

function isPinned(name: ImageName): boolean {
  return name.labels[pinnedLabel] === "pinned";
}

function parentOf(names: readonly ImageName[]): Digest | undefined {
  return names.map((name) => toDigest(name.labels[parentLabel] ?? "")).find((digest) => digest !== undefined);
}
