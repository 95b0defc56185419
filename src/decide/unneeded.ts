// What becomes of images that nothing speaks for: it depends on their names alone, so plans share it until the names change.
import type { ImageIndex } from "./image-index.ts";
import { letGo, type NameDecision } from "./retention.ts";
import { judgeByNames, type Named } from "./verdict.ts";

const known = new WeakMap<ImageIndex, Unneeded>();

/** What would become of each image of an index if nothing spoke for it; the same objects again for the same index. */
export function unneededIn(index: ImageIndex): Unneeded {
  const before = known.get(index);
  if (before !== undefined) return before;
  const unneeded = new Unneeded(index);
  known.set(index, unneeded);
  return unneeded;
}

/** By the places of the images in the index. Each is made when it is asked for first. */
export class Unneeded {
  readonly #index: ImageIndex;
  readonly #decisions: (readonly NameDecision[] | undefined)[] = [];
  readonly #verdicts: (Named | undefined)[] = [];

  constructor(index: ImageIndex) {
    this.#index = index;
  }

  /** The decisions about the names of an image: all of them go. */
  decisionsAt(at: number): readonly NameDecision[] {
    const before = this.#decisions[at];
    if (before !== undefined) return before;
    const kinds = this.#index.kinds[at] ?? [];
    const names = this.#index.images[at]?.names ?? [];
    const decisions = names.map((name, i) => letGo(name, kinds[i]?.kind ?? "other"));
    this.#decisions[at] = decisions;
    return decisions;
  }

  /** The verdict that follows from these decisions; undefined when they are not those of `decisionsAt`. */
  verdictAt(at: number, decisions: readonly NameDecision[]): Named | undefined {
    if (!this.isAt(at, decisions)) return undefined;
    const before = this.#verdicts[at];
    if (before !== undefined) return before;
    const verdict = judgeByNames(decisions, {});
    this.#verdicts[at] = verdict;
    return verdict;
  }

  /** True for the decisions of `decisionsAt`. */
  isAt(at: number, decisions: readonly NameDecision[]): boolean {
    return this.#decisions[at] === decisions;
  }
}
