// What is remembered, or has to be assumed, of an image and of a name.
import type { Image, ImageName, Instant } from "../image/node-state.ts";
import { firstSight, type History, type Sighting } from "./history.ts";

/** Where to look. */
export interface Memory {
  readonly history: History;
  readonly now: Instant;
  readonly namespace: string;
}

export interface Sightings {
  readonly image: Sighting;
  readonly name: Sighting;
}

/** The sightings of an image and of one of its names; what was never seen before counts as the history says. */
export function sightingsOf(image: Image, name: ImageName, { history, now, namespace }: Memory): Sightings {
  const known = history.namespaces.get(namespace);
  const ofImage = known?.images.get(image.target);
  const ofName = known?.names.get(name.name);
  if (ofImage !== undefined && ofName !== undefined) return { image: ofImage, name: ofName };
  const unknown = firstSight(assumedSight(name, history, now));
  return { image: ofImage ?? unknown, name: ofName ?? unknown };
}

/** When a name that was never seen before counts as seen first, and its image with it. */
export function assumedSight(name: ImageName, { unknown }: History, now: Instant): Instant {
  return unknown === "just-used" ? now : (recordTime(name) ?? 0);
}

/** The last use of the image or of the name, whichever came later. */
export function lastUseOf({ image, name }: Sightings): Instant {
  return Math.max(image.lastUsed, name.lastUsed);
}

/** The runtime's record time tells the last pull; where it does not, or lies in the future, the first sight is the best there is. */
export function pulledAt(name: ImageName, firstSeen: Instant, now: Instant): Instant {
  const recorded = recordTime(name);
  return recorded === undefined || recorded > now ? firstSeen : recorded;
}

/** When a name was recorded, or written again since; undefined when the runtime does not tell. */
export function recordTime(name: ImageName): Instant | undefined {
  if (name.createdAt === undefined) return name.updatedAt;
  return Math.max(name.createdAt, name.updatedAt ?? name.createdAt);
}
