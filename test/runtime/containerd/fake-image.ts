// Images as a pull leaves them in a namespace: blobs with labels, layer snapshots, records.
import { createHash } from "node:crypto";
import type { Digest } from "../../../src/image/digest.ts";
import { topChainId } from "../../../src/runtime/containerd/chain-id.ts";
import type { FakeNamespace, Labels } from "./fake-daemon.ts";

export function sha256(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest;
}

export interface FakeImageOptions {
  readonly names: readonly string[];
  /** Words that stand for layers, the base first. */
  readonly layers: readonly string[];
  readonly labels?: Labels;
  readonly recordLabels?: Labels;
  /** Wraps the manifest into an index that also lists a manifest of another platform, which is absent. */
  readonly index?: boolean;
  /** The architecture; that of this machine by default. */
  readonly platform?: string;
}

export interface FakeImage {
  readonly target: Digest;
  readonly manifest: Digest;
  readonly config: Digest;
  readonly layers: readonly Digest[];
  /** Keys of the layer snapshots, the base first. */
  readonly chain: readonly Digest[];
}

/** Puts an image into `namespace` with everything that a pull makes. */
export function pull(namespace: FakeNamespace, options: FakeImageOptions): FakeImage {
  const diffIds = options.layers.map((word) => sha256(`diff ${word}`));
  const chain = diffIds.map((_, depth) => topChainId(diffIds.slice(0, depth + 1)) as Digest);
  const layers = options.layers.map((word) => putBlob(namespace, `layer ${word}`, {}));
  const top = chain.at(-1);
  const config = putBlob(
    namespace,
    JSON.stringify({
      os: "linux",
      architecture: options.platform ?? (process.arch === "x64" ? "amd64" : process.arch),
      created: "2024-01-01T00:00:00Z",
      config: { Labels: options.labels ?? { name: options.names[0] } },
      rootfs: { type: "layers", diff_ids: diffIds },
    }),
    top ? { "containerd.io/gc.ref.snapshot.overlayfs": top } : {},
  );
  const manifest = putBlob(
    namespace,
    JSON.stringify({ config: { digest: config }, layers: layers.map((digest) => ({ digest })) }),
    {
      "containerd.io/gc.ref.content.config": config,
      ...Object.fromEntries(layers.map((digest, n) => [`containerd.io/gc.ref.content.l.${n}`, digest])),
    },
  );
  const target = options.index ? putIndex(namespace, manifest) : manifest;
  addSnapshots(namespace, chain);
  for (const name of options.names) namespace.images.push({ name, target, labels: options.recordLabels ?? {} });
  return { target, manifest, config, layers, chain };
}

function putIndex(namespace: FakeNamespace, manifest: Digest): Digest {
  const absent = sha256(`absent beside ${manifest}`);
  const json = {
    manifests: [
      { digest: absent, platform: { os: "linux", architecture: "s390x" } },
      { digest: manifest, platform: { os: "linux", architecture: process.arch === "x64" ? "amd64" : process.arch } },
    ],
  };
  const labels = { "containerd.io/gc.ref.content.m.0": absent, "containerd.io/gc.ref.content.m.1": manifest };
  return putBlob(namespace, JSON.stringify(json), labels);
}

/** Puts a blob into `namespace`. */
export function putBlob(namespace: FakeNamespace, text: string, labels: Labels): Digest {
  const bytes = Buffer.from(text);
  const digest = sha256(bytes);
  namespace.blobs.set(digest, { bytes, labels });
  return digest;
}

function addSnapshots(namespace: FakeNamespace, chain: readonly Digest[]): void {
  const known = snapshotNames.get(namespace) ?? new Set(namespace.snapshots.map(({ name }) => name));
  snapshotNames.set(namespace, known);
  chain.forEach((name, depth) => {
    if (known.has(name)) return;
    known.add(name);
    const parent = chain[depth - 1];
    namespace.snapshots.push({ name, size: 1000 + depth, ...(parent ? { parent } : {}) });
  });
}

const snapshotNames = new WeakMap<FakeNamespace, Set<string>>();
