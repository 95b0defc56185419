// The images of a trace: repositories that release tag after tag on shared base layers of realistic sizes.
import type { Digest } from "../../src/image/digest.ts";
import type { Image, ImageName, Instant } from "../../src/image/node-state.ts";
import type { Random } from "./random.ts";
import { days, mebibytes } from "./units.ts";

/** A layer. It always stands on the same parent, so that its blob and its snapshot come and go together. */
export interface Layer {
  /** Position in `Catalogue.layers`. */
  readonly index: number;
  readonly parent: Layer | undefined;
  /** Bytes that a pull transfers. */
  readonly packed: number;
  /** Bytes on the node's disk: the packed blob, which containerd keeps, and what it unpacks to. */
  readonly bytes: number;
}

/** One tag of one repository. */
export interface CataloguedImage {
  /** Position in `Catalogue.images`. */
  readonly index: number;
  readonly repository: string;
  /** Base layers first. */
  readonly layers: readonly Layer[];
  /** The same image as prunelet sees it. */
  readonly image: Image;
  readonly name: Omit<ImageName, "createdAt">;
}

/** What a new tag is made of. */
export interface Build {
  readonly repository: string;
  readonly tag: string;
  readonly layers: readonly Layer[];
  readonly builtAt: Instant;
}

/** What an unpacked layer takes for each byte of its packed blob. One figure for all: only so is the lower bound exact. */
const unpackedShare = 2.5;

/** Where an image stands on: MiB of each packed layer, and the base below it. Sizes of the official images, late 2026. */
interface BaseKind {
  readonly on?: BaseName;
  readonly layers: readonly number[];
}

export type BaseName = keyof typeof bases;

/** Rebuilt together with what stands on them: a new `debian` makes new layers of everything above. */
const bases = {
  alpine: { layers: [3.6] },
  distroless: { layers: [0.8, 9] },
  slim: { layers: [28] },
  debian: { layers: [48] },
  ubuntu: { layers: [29] },
  buildpack: { on: "debian", layers: [23, 62, 203] },
  "python-slim": { on: "slim", layers: [3.3, 12] },
  python: { on: "buildpack", layers: [6, 24] },
  "node-slim": { on: "slim", layers: [41, 1.7] },
  node: { on: "buildpack", layers: [56, 1.7] },
  jre: { on: "ubuntu", layers: [17, 47] },
  jdk: { on: "ubuntu", layers: [17, 190] },
  cuda: { on: "ubuntu", layers: [5, 57, 720] },
} as const satisfies Record<string, { on?: string; layers: readonly number[] }>;

/** Makes images as the trace needs them. Bases are rebuilt every few weeks: older images keep the layers of the older base. */
export class Catalogue {
  readonly layers: Layer[] = [];
  readonly images: CataloguedImage[] = [];
  readonly #random: Random;
  readonly #from: Instant;
  readonly #bases = new Map<string, readonly Layer[]>();
  readonly #rebuilds = new Map<BaseName, readonly Instant[]>();

  constructor(random: Random, from: Instant) {
    this.#random = random;
    this.#from = from;
  }

  /** The layers of a base as it was built last before `at`. */
  base(name: BaseName, at: Instant): readonly Layer[] {
    const { on, layers }: BaseKind = bases[name];
    const below = on === undefined ? [] : this.base(on, at);
    const key = `${name} ${below.at(-1)?.index ?? ""} ${this.#rebuild(name, at)}`;
    const known = this.#bases.get(key);
    if (known !== undefined) return known;
    const made = this.stack(below, layers);
    this.#bases.set(key, made);
    return made;
  }

  /** New layers of so many MiB on top of others. */
  stack(below: readonly Layer[], sizes: readonly number[]): readonly Layer[] {
    const all = [...below];
    for (const size of sizes) {
      const packed = 2 * Math.ceil((size * mebibytes) / 2);
      const layer = { index: this.layers.length, parent: all.at(-1), packed, bytes: packed * (1 + unpackedShare) };
      this.layers.push(layer);
      all.push(layer);
    }
    return all;
  }

  /** A new tag. */
  image({ repository, tag, layers, builtAt }: Build): CataloguedImage {
    const index = this.images.length;
    const target = digestOf("a", index);
    const made = {
      index,
      repository,
      layers,
      image: { ...toImage(target, layers), createdAt: builtAt },
      name: {
        name: `registry.example.com/${repository}:${tag}`,
        target,
        labels: { "io.cri-containerd.image": "managed" },
      },
    };
    this.images.push(made);
    return made;
  }

  /** How often the base had been rebuilt. Rebuilds come about every 24 days, for each base at times of its own. */
  #rebuild(name: BaseName, at: Instant): number {
    let times = this.#rebuilds.get(name);
    if (times === undefined) {
      const random = this.#random.fork(`base ${name}`);
      let next = this.#from - days(random.between(24, 48));
      times = Array.from({ length: 24 }, () => {
        next += days(random.between(12, 36));
        return next;
      });
      this.#rebuilds.set(name, times);
    }
    return times.filter((time) => time <= at).length;
  }
}

function toImage(target: Digest, layers: readonly Layer[]): Image {
  return {
    target,
    id: target,
    digests: [target],
    pinned: false,
    blobs: layers.map((layer) => ({ digest: digestOf("b", layer.index), size: layer.packed })),
    snapshots: layers.map((layer) => ({
      key: snapshotKey(layer),
      size: layer.bytes - layer.packed,
      ...(layer.parent === undefined ? {} : { parent: snapshotKey(layer.parent) }),
    })),
  };
}

function snapshotKey({ index }: Layer): string {
  return `overlayfs/${digestOf("c", index)}`;
}

function digestOf(kind: "a" | "b" | "c", index: number): Digest {
  return `sha256:${kind}${index.toString(16).padStart(63, "0")}` as Digest;
}
