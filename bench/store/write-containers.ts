// Writes container records as CRI leaves them: runtime spec, metadata, writable snapshot. Nothing runs.
import { sha256 } from "../../test/support/oci/descriptor.ts";
import { inParallel } from "../in-parallel.ts";
import type { SyntheticImage } from "./synthetic-images.ts";
import { openWire } from "./wire.ts";

const atATime = 16;
/** What a runtime spec of a pod's container weighs. */
const specBytes = 8_000;

/** Adds `count` containers, spread over the images, four to a pod. */
export async function writeContainers(
  server: { readonly socket: string; readonly snapshotter: string },
  images: readonly SyntheticImage[],
  count: number,
): Promise<void> {
  const wire = openWire(server.socket);
  const step = Math.max(1, Math.floor(images.length / count));
  try {
    await inParallel(
      Array.from({ length: count }, (_, i) => i),
      atATime,
      async (i) => {
        const image = images[(i * step) % images.length];
        if (image === undefined) return;
        const { snapshotter } = server;
        const id = sha256(`container ${i}`).slice("sha256:".length);
        await wire.snapshots.prepare({ snapshotter, key: id, parent: image.layers.at(-1)?.chainId ?? "" });
        await wire.containers.create({ container: { ...recordOf(id, i, image), snapshotter, snapshotKey: id } });
      },
    );
  } finally {
    wire.close();
  }
}

function recordOf(id: string, i: number, image: SyntheticImage) {
  const pod = `pod-${Math.floor(i / 4)}`;
  const metadata = { Version: "v1", Metadata: { ID: id, Name: `main_${pod}_default`, ImageRef: image.config } };
  const spec = { ociVersion: "1.1.0", process: { args: ["/service"] }, padding: "x".repeat(specBytes) };
  return {
    id,
    image: image.names[0] ?? "",
    labels: {
      "io.cri-containerd.kind": "container",
      "io.kubernetes.container.name": `main-${i % 4}`,
      "io.kubernetes.pod.name": pod,
      "io.kubernetes.pod.namespace": "default",
      "io.kubernetes.pod.uid": `uid-${pod}`,
    },
    runtime: { name: "io.containerd.runc.v2" },
    spec: anyOf("types.containerd.io/opencontainers/runtime-spec/1/Spec", spec),
    extensions: {
      "io.cri-containerd.container.metadata": anyOf("github.com/containerd/cri/pkg/store/container/Metadata", metadata),
    },
  };
}

function anyOf(typeUrl: string, value: unknown) {
  return { typeUrl, value: new Uint8Array(Buffer.from(JSON.stringify(value))) };
}
