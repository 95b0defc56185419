// The newest tags of each repository: by when the image was built, and by when the tag was seen first.
import type { ImageName, Instant } from "../image/node-state.ts";
import { compareBytes } from "../image/order.ts";
import type { ImageIndex, IndexedImage } from "./image-index.ts";
import { classifyName } from "./name-kind.ts";
import { type Memory, pulledAt, sightingsOf } from "./sightings.ts";

/**
 * The `count` newest tags of every repository. Two clocks tell what is new, and newest by either counts: an image may be
 * built long before it is pulled, and an old tag may be pulled again.
 */
export function newestTags(index: ImageIndex, count: number, memory: Memory): ReadonlySet<string> {
  const newest = new Set<string>();
  if (count <= 0) return newest;
  for (const tags of tagsByRepository(index, memory).values()) {
    for (const { name } of tags.toSorted(byBuild).slice(0, count)) newest.add(name);
    for (const { name } of tags.toSorted(bySight).slice(0, count)) newest.add(name);
  }
  return newest;
}

/** Images whose tags all have newer ones of the same repository beside them. An image without a tag is none of them. */
export function supersededImages(index: ImageIndex, memory: Memory): ReadonlySet<IndexedImage> {
  const newest = newestTags(index, 1, memory);
  const isTag = (name: ImageName): boolean => classifyName(name).kind === "tag";
  return new Set(index.images.filter(({ names }) => names.some(isTag) && !names.some(({ name }) => newest.has(name))));
}

interface Tag {
  readonly name: string;
  readonly built: Instant;
  readonly firstSeen: Instant;
  readonly pulled: Instant;
}

function tagsByRepository(index: ImageIndex, memory: Memory): ReadonlyMap<string, readonly Tag[]> {
  const tags = new Map<string, Tag[]>();
  for (const { image, names } of index.images) {
    for (const name of names) {
      const { kind, repository } = classifyName(name);
      if (kind !== "tag" || repository === undefined) continue;
      const seen = sightingsOf(image, name, memory).name;
      const pulled = pulledAt(name, seen.firstSeen, memory.now);
      const tag: Tag = { name: name.name, built: image.createdAt ?? 0, firstSeen: seen.firstSeen, pulled };
      const known = tags.get(repository);
      if (known === undefined) tags.set(repository, [tag]);
      else known.push(tag);
    }
  }
  return tags;
}

// Builds that can be repeated often bear one date for all, and a first look sees everything at once: the other times decide then.
function byBuild(a: Tag, b: Tag): number {
  return b.built - a.built || b.firstSeen - a.firstSeen || b.pulled - a.pulled || compareBytes(b.name, a.name);
}

function bySight(a: Tag, b: Tag): number {
  return b.firstSeen - a.firstSeen || b.pulled - a.pulled || b.built - a.built || compareBytes(b.name, a.name);
}
