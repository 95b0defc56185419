// The software of the simulated node: what runs there, and the images that it is shipped in.
import { createHash } from "node:crypto";
import type { Digest } from "../../image/digest.ts";
import type { Blob, Image, LayerSnapshot } from "../../image/node-state.ts";

/** One program of the simulated cluster. */
export interface App {
  readonly name: string;
  /** Kubernetes namespace. */
  readonly namespace: string;
  /** Repository in full form. */
  readonly repository: string;
  /** The repository as people spell it in pod specs. */
  readonly spelled: string;
  readonly base: keyof typeof bases;
  /** Version without its last number, which counts up with every release. */
  readonly line: string;
  /** MiB of what changes with every release, and of what changes with every fourth. */
  readonly size: { readonly app: number; readonly dependencies: number };
  readonly kind: "deployment" | "job";
  /** A tag besides the version that always points to the newest release pulled. */
  readonly movingTag?: string;
}

interface Layer {
  readonly word: string;
  /** MiB, compressed. */
  readonly size: number;
}

const mebibyte = 1024 ** 2;

/** Layers that many images share, base first. */
const bases = {
  debian: [{ word: "debian 12", size: 28 }],
  node: [
    { word: "debian 12", size: 28 },
    { word: "node 24", size: 46 },
  ],
  python: [
    { word: "debian 12", size: 28 },
    { word: "python 3.13", size: 22 },
  ],
  alpine: [{ word: "alpine 3.22", size: 4 }],
  scratch: [],
} as const satisfies Record<string, readonly Layer[]>;

export const pauseImage = imageOf("registry.k8s.io/pause 3.10", [{ word: "pause", size: 0.3 }]);
export const pauseRepository = "registry.k8s.io/pause";
export const pauseTag = "3.10";

function shopApp(name: string, base: App["base"], app: number, dependencies: number, more: Partial<App> = {}): App {
  const repository = `ghcr.io/acme/${name}`;
  const size = { app, dependencies };
  return {
    name,
    namespace: "shop",
    repository,
    spelled: repository,
    base,
    line: "2.4",
    size,
    kind: "deployment",
    ...more,
  };
}

function officialApp(name: string, line: string, namespace: string, app: number): App {
  const size = { app, dependencies: 9 };
  const repository = `docker.io/library/${name}`;
  return { name, namespace, repository, spelled: name, base: "debian", line, size, kind: "deployment" };
}

/** Everything that may run on the node. */
export const apps: readonly App[] = [
  shopApp("storefront", "node", 14, 85, { movingTag: "latest" }),
  shopApp("cart", "node", 6, 52),
  shopApp("checkout", "node", 7, 61, { movingTag: "stable" }),
  shopApp("recommendations", "python", 11, 240),
  shopApp("search-api", "debian", 38, 12),
  officialApp("nginx", "1.29", "shop", 42),
  officialApp("redis", "8.2", "shop", 31),
  {
    name: "node-exporter",
    namespace: "monitoring",
    repository: "quay.io/prometheus/node-exporter",
    spelled: "quay.io/prometheus/node-exporter",
    base: "scratch",
    line: "v1.9",
    size: { app: 11, dependencies: 1 },
    kind: "deployment",
  },
  shopApp("report-builder", "python", 9, 130, { kind: "job", namespace: "batch" }),
  shopApp("db-backup", "alpine", 3, 24, { kind: "job", namespace: "batch", movingTag: "latest" }),
];

/** Images that people pull by hand to look for trouble. */
export const toolRepositories: readonly string[] = [
  "docker.io/nicolaka/netshoot",
  "docker.io/library/busybox",
  "docker.io/curlimages/curl",
];

/** The image of one release of an app. */
export function releaseImage(app: App, release: number): Image {
  const dependencies = { word: `${app.name} dependencies ${Math.floor(release / 4)}`, size: app.size.dependencies };
  const program = { word: `${app.name} ${release}`, size: app.size.app };
  return imageOf(`${app.repository} ${release}`, [...bases[app.base], dependencies, program]);
}

/** The image of a tool at its `edition`-th build. */
export function toolImage(repository: string, edition: number): Image {
  return imageOf(`${repository} ${edition}`, [...bases.alpine, { word: `${repository} ${edition}`, size: 18 }]);
}

export function versionOf(app: App, release: number): string {
  return `${app.line}.${release}`;
}

/** Bytes of an image's blobs: what a pull of all of it transfers. */
export function blobBytes(image: Image): number {
  return image.blobs.reduce((sum, blob) => sum + blob.size, 0);
}

/** An image as a multi-platform pull leaves it: an index, this platform's manifest, a config, layers and their snapshots. */
function imageOf(word: string, layers: readonly Layer[]): Image {
  const index = digestOf(`index ${word}`);
  const manifest = digestOf(`manifest ${word}`);
  const config = digestOf(`config ${word}`);
  const metadata: Blob[] = [
    { digest: index, size: 1_609 },
    { digest: manifest, size: 800 + 230 * layers.length },
    { digest: config, size: 2_900 + 340 * layers.length },
  ];
  const blobs = layers.map((layer) => ({ digest: digestOf(`layer ${layer.word}`), size: bytes(layer.size) }));
  return {
    target: index,
    id: config,
    digests: [index, manifest, config],
    labels: {},
    pinned: false,
    blobs: [...metadata, ...blobs],
    snapshots: chainOf(layers),
  };
}

function chainOf(layers: readonly Layer[]): LayerSnapshot[] {
  let chain = "";
  return layers.map((layer) => {
    const parent = chain;
    chain = `overlayfs/${digestOf(`${parent} ${layer.word}`)}`;
    const size = bytes(layer.size * 2.6);
    return parent === "" ? { key: chain, size } : { key: chain, size, parent };
  });
}

function bytes(mebibytes: number): number {
  return Math.round(mebibytes * mebibyte);
}

function digestOf(word: string): Digest {
  return `sha256:${createHash("sha256").update(word).digest("hex")}` as Digest;
}
