// What holds the space of a filesystem, in words.
import type { Holding } from "../decide/holding.ts";
import { formatBytes } from "./bytes.ts";

/** One phrase, the largest part first; parts of nothing are left out. */
export function describeHolding({ inUse, pinned, young, kept, other }: Holding): string {
  const parts: [number, string][] = [
    [inUse, "images in use"],
    [pinned, "pinned images"],
    [young, "images that are too young"],
    [kept, "images that a rule keeps"],
    [other, "what is no image"],
  ];
  const told = parts.filter(([bytes]) => bytes > 0).toSorted(([one], [other]) => other - one);
  return told.map(([bytes, what]) => `${what} (${formatBytes(bytes)})`).join(", ") || "nothing";
}
