// Tells of removals before they begin, many at a time: whoever records them waits for the disk once for all of them.
import type { ImageVerdict } from "../decide/plan.ts";

/** Awaited before the first name of any of these images is touched. Must not reject. */
export type Announce = (verdicts: readonly ImageVerdict[]) => Promise<void>;

/** Images that are told of together. */
const usualStride = 64;

/** Images in the order of their removal, of which each is told of before its turn. */
export class AnnouncedImages {
  readonly #images: readonly ImageVerdict[];
  readonly #announce: Announce;
  readonly #stride: number;
  readonly #told: Promise<void>[] = [];

  /** `oneByOne`: much may happen between two removals, so that none is told of ahead of its time. */
  constructor(images: readonly ImageVerdict[], { announce, oneByOne }: { announce: Announce; oneByOne: boolean }) {
    this.#images = images;
    this.#announce = announce;
    this.#stride = oneByOne ? 1 : usualStride;
  }

  /** Resolves when the image of this index may be touched. Those that follow are told of meanwhile. */
  before(index: number): Promise<void> {
    const group = Math.floor(index / this.#stride);
    const told = this.#tell(group);
    if (this.#stride > 1) void this.#tell(group + 1);
    return told;
  }

  #tell(group: number): Promise<void> {
    const images = this.#images.slice(group * this.#stride, (group + 1) * this.#stride);
    if (images.length === 0) return Promise.resolve();
    this.#told[group] ??= this.#announce(images);
    return this.#told[group];
  }
}
