// A repository that releases: each tag is a new layer of the application on dependencies that change more rarely.
import type { Instant } from "../../src/image/node-state.ts";
import type { BaseName, Catalogue, CataloguedImage, Layer } from "./catalogue.ts";
import type { Random } from "./random.ts";

/** Kinds of images on clusters that run services: typical MiB of dependencies and of the application. */
const kinds = {
  alpine: { dependencies: 8, application: 18 },
  distroless: { dependencies: 0.1, application: 32 },
  slim: { dependencies: 35, application: 30 },
  debian: { dependencies: 90, application: 40 },
  ubuntu: { dependencies: 120, application: 45 },
  "python-slim": { dependencies: 85, application: 6 },
  python: { dependencies: 160, application: 8 },
  "node-slim": { dependencies: 60, application: 14 },
  node: { dependencies: 110, application: 20 },
  jre: { dependencies: 70, application: 25 },
  jdk: { dependencies: 80, application: 40 },
  cuda: { dependencies: 900, application: 15 },
} as const satisfies Partial<Record<BaseName, { readonly dependencies: number; readonly application: number }>>;

export type RepositoryKind = keyof typeof kinds;

const common = (Object.keys(kinds) as RepositoryKind[]).filter((kind) => kind !== "cuda");

/** Large images are rare: one repository in forty is built on CUDA. */
function anyKind(random: Random): RepositoryKind {
  return random.chance(1 / 40) ? "cuda" : random.pick(common);
}

/** How many releases share a layer of dependencies. */
const releasesPerDependencies = 6;

export class Repository {
  readonly #catalogue: Catalogue;
  readonly #random: Random;
  readonly #name: string;
  readonly #kind: RepositoryKind;
  readonly #sizes: { readonly dependencies: number; readonly application: number };
  #dependencies: readonly Layer[] = [];
  #tags = 0;

  constructor(catalogue: Catalogue, random: Random, name: string, kind: RepositoryKind = anyKind(random)) {
    const { dependencies, application } = kinds[kind];
    this.#sizes = {
      dependencies: random.logNormal(dependencies, 0.7),
      application: random.logNormal(application, 0.7),
    };
    this.#catalogue = catalogue;
    this.#random = random;
    this.#name = name;
    this.#kind = kind;
  }

  /** A new tag, built at this moment. */
  release(at: Instant): CataloguedImage {
    this.#tags += 1;
    const base = this.#catalogue.base(this.#kind, at);
    const outdated = this.#dependencies[base.length - 1] !== base.at(-1);
    if (outdated || this.#random.chance(1 / releasesPerDependencies)) {
      this.#dependencies = this.#catalogue.stack(base, [this.#sizes.dependencies * this.#random.between(0.9, 1.1)]);
    }
    const application = this.#sizes.application * this.#random.between(0.9, 1.1);
    const layers = this.#catalogue.stack(this.#dependencies, [application, 0.01]);
    return this.#catalogue.image({ repository: this.#name, tag: `v${this.#tags}`, layers, builtAt: at });
  }
}
