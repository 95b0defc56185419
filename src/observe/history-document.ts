// The history as plain data: what the state file holds, and what a node file carries along.
import * as z from "zod";
import { firstSight, type History, type NamespaceHistory, type Sighting } from "../decide/history.ts";
import type { Digest } from "../image/digest.ts";

/** The version of what is written. Version 1 is read as well. */
export const historyVersion = 2;

/** What a date can hold: beyond it nothing could be said of a time. */
const farthest = 8.64e15;
const instant = z.number().min(-farthest).max(farthest);

/** First seen and last used, as version 1 had them under the key of an object. */
const oldSightings = z.record(z.string(), z.tuple([instant, instant]));
const versionOne = z.object({
  version: z.literal(1),
  namespaces: z.record(z.string(), z.object({ images: oldSightings, names: oldSightings })),
});

// Lists and not objects: a name may be any text, and no text is special as an item of a list. What has its usual value is left
// out at the end: times used 0, users none, in use 0.
const sighting = z.tuple([
  z.string().describe("digest of the image, or name"),
  instant.describe("first seen"),
  instant.describe("last used"),
  z.int().min(0).describe("times used").optional(),
  z.array(z.int().min(0)).describe("users, as places in `users`").optional(),
  z.literal([0, 1]).describe("in use at the last look").optional(),
]);
const versionTwo = z.object({
  version: z.literal(2),
  lastLook: instant.optional(),
  gaps: z.array(z.tuple([instant, instant])).optional(),
  /** Namespaces of pods: each is written once. */
  users: z.array(z.string()),
  namespaces: z.array(z.tuple([z.string(), z.object({ images: z.array(sighting), names: z.array(sighting) })])),
});

type WrittenSighting = z.infer<typeof sighting>;

export type HistoryDocument = z.infer<typeof versionTwo>;

/** The document that describes a history. */
export function toHistoryDocument(history: History): HistoryDocument {
  const users = new Map<string, number>();
  const plain = (map: ReadonlyMap<string, Sighting>) => [...map].map(([key, seen]) => written(key, seen, users));
  const namespaces = [...history.namespaces].map(([name, { images, names }]): HistoryDocument["namespaces"][number] => [
    name,
    { images: plain(images), names: plain(names) },
  ]);
  return {
    version: historyVersion,
    ...(history.lastLook === undefined ? {} : { lastLook: history.lastLook }),
    ...(history.gaps === undefined ? {} : { gaps: history.gaps.map(({ from, to }): [number, number] => [from, to]) }),
    users: [...users.keys()],
    namespaces,
  };
}

function written(key: string, seen: Sighting, users: Map<string, number>): WrittenSighting {
  const { firstSeen, lastUsed, timesUsed, usedBy, inUse } = seen;
  const places = usedBy.map((user) => {
    if (!users.has(user)) users.set(user, users.size);
    return users.get(user) as number;
  });
  if (inUse) return [key, firstSeen, lastUsed, timesUsed, places, 1];
  if (places.length > 0) return [key, firstSeen, lastUsed, timesUsed, places];
  return timesUsed > 0 ? [key, firstSeen, lastUsed, timesUsed] : [key, firstSeen, lastUsed];
}

/** The history that a document of any known version describes, or undefined when it is no history. */
export function fromHistoryDocument(document: unknown, unknown: History["unknown"]): History | undefined {
  const two = versionTwo.safeParse(document);
  if (two.success) return fromVersionTwo(two.data, unknown);
  const one = versionOne.safeParse(document);
  return one.success ? fromVersionOne(one.data, unknown) : undefined;
}

function fromVersionTwo(document: HistoryDocument, unknown: History["unknown"]): History | undefined {
  const { users, namespaces, lastLook, gaps } = document;
  const wrong = (places: readonly number[]) => places.some((place) => place >= users.length);
  const all = namespaces.flatMap(([, { images, names }]) => [...images, ...names]);
  if (all.some(([, , , , places = []]) => wrong(places))) return undefined;
  const live = <Key extends string>(list: readonly WrittenSighting[]) =>
    new Map(list.map((one) => [one[0] as Key, sightingOf(one, users)]));
  return {
    namespaces: new Map(
      namespaces.map(([name, { images, names }]): [string, NamespaceHistory] => [
        name,
        { images: live<Digest>(images), names: live(names) },
      ]),
    ),
    unknown,
    ...(lastLook === undefined ? {} : { lastLook }),
    ...(gaps === undefined ? {} : { gaps: gaps.map(([from, to]) => ({ from, to })) }),
  };
}

function sightingOf(one: WrittenSighting, users: readonly string[]): Sighting {
  const [, firstSeen, lastUsed, timesUsed = 0, places = [], inUse = 0] = one;
  return { firstSeen, lastUsed, timesUsed, usedBy: places.map((place) => users[place] as string), inUse: inUse === 1 };
}

function fromVersionOne({ namespaces }: z.infer<typeof versionOne>, unknown: History["unknown"]): History {
  // Whatever was used after its first sight was used at least once; by whom, nobody noted.
  const live = <Key extends string>(record: z.infer<typeof oldSightings>) =>
    new Map(
      Object.entries(record).map(([key, [firstSeen, lastUsed]]): [Key, Sighting] => [
        key as Key,
        { ...firstSight(firstSeen), lastUsed, timesUsed: lastUsed > firstSeen ? 1 : 0 },
      ]),
    );
  return {
    namespaces: new Map(
      Object.entries(namespaces).map(([name, { images, names }]): [string, NamespaceHistory] => [
        name,
        { images: live<Digest>(images), names: live(names) },
      ]),
    ),
    unknown,
  };
}
