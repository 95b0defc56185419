// The same synthetic node as a value, for what needs no daemon.
import type { Container, Image, ImageName, NodeState, Pod } from "../src/image/node-state.ts";
import { type SyntheticImage, syntheticImages } from "./store/synthetic-images.ts";
import { namespace } from "./store/wire.ts";

/** A node with so many images and containers, as an adapter would describe it. */
export function syntheticState(imageCount: number, containerCount: number): NodeState {
  const synthetic = syntheticImages(imageCount, "overlayfs");
  const names = synthetic.flatMap((image) => image.names.map((name) => toName(name, image)));
  const step = Math.max(1, Math.floor(imageCount / containerCount));
  const used = Array.from({ length: containerCount }, (_, i) => synthetic[(i * step) % imageCount]);
  const containers = used.flatMap((image, i) => (image === undefined ? [] : [toContainer(image, i)]));
  const held = { blobs: [], snapshots: [] };
  return {
    takenAt: Date.parse("2026-01-01T00:00:00Z"),
    runtime: { kind: "containerd", version: "2.1" },
    namespaces: [{ name: namespace, names, images: synthetic.map(toImage), containers, held }],
    foreignBlobs: [],
    pods: podsOf(
      synthetic.map((image) => image.names[0] ?? ""),
      containerCount,
    ),
  };
}

/** Pods of four containers each, whose images are spread over `names`. */
export function podsOf(names: readonly string[], containerCount: number): readonly Pod[] {
  const step = Math.max(1, Math.floor(names.length / containerCount));
  return Array.from({ length: Math.ceil(containerCount / 4) }, (_, i) => ({
    namespace: "default",
    name: `pod-${i}`,
    uid: `uid-pod-${i}`,
    phase: "Running",
    images: [0, 1, 2, 3].flatMap((n) => names[((i * 4 + n) * step) % names.length] ?? []),
    imageIds: [],
  }));
}

function toName(name: string, image: SyntheticImage): ImageName {
  const at = Date.parse("2025-12-01T00:00:00Z");
  const labels = { "io.cri-containerd.image": "managed" };
  return { name, target: image.target.digest, createdAt: at, updatedAt: at, labels };
}

function toImage(image: SyntheticImage): Image {
  const digests = image.blobs
    .filter(({ bytes }) => bytes[0] === "{".charCodeAt(0))
    .map(({ descriptor }) => descriptor.digest);
  return {
    target: image.target.digest,
    id: image.config,
    digests,
    labels: { "org.opencontainers.image.version": "1.0.0" },
    createdAt: Date.parse("2024-01-01T00:00:00Z"),
    pinned: false,
    blobs: image.blobs.map(({ descriptor: { digest, size } }) => ({ digest, size })),
    snapshots: image.layers.map(({ chainId, parent }) => ({
      key: `overlayfs/${chainId}`,
      size: 4_096,
      ...(parent === undefined ? {} : { parent: `overlayfs/${parent}` }),
    })),
  };
}

function toContainer(image: SyntheticImage, i: number): Container {
  return {
    id: `container-${i}`,
    image: image.names[0] ?? "",
    imageId: image.config,
    otherImageIds: [],
    state: "running",
    kind: "container",
    snapshotKey: `overlayfs/container-${i}`,
    imageMounts: [],
    pod: `default/pod-${Math.floor(i / 4)}`,
  };
}
