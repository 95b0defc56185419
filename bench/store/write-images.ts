// Writes images into a containerd: content, snapshots and names, with everything that ties them together, but no pull.
import { WriteAction } from "../../src/runtime/containerd/gen/containerd/services/content/v1/content_pb.js";
import { inParallel } from "../in-parallel.ts";
import type { LabelledBlob, LayerToUnpack, SyntheticImage } from "./synthetic-images.ts";
import { openWire, type Wire } from "./wire.ts";

/** The daemon writes its database one change after the other, but what surrounds that overlaps. */
const atATime = 24;
const lease = "bench-writes";

/** Writes all images. A lease holds what no name points to yet. */
export async function writeImages(
  server: { readonly socket: string; readonly snapshotter: string },
  images: readonly SyntheticImage[],
): Promise<void> {
  const wire = openWire(server.socket, lease);
  try {
    const expire = new Date(Date.now() + 3_600_000).toISOString();
    await wire.leases.create({ id: lease, labels: { "containerd.io/gc.expire": expire } });
    const blobs = new Map(
      images.flatMap((image) => image.blobs.map((blob) => [blob.descriptor.digest, blob] as const)),
    );
    await inParallel([...blobs.values()], atATime, (blob) => writeBlob(wire, blob));
    for (const layers of byDepth(images)) {
      await inParallel(layers, atATime, (layer) => unpack(wire, server.snapshotter, layer));
    }
    const names = images.flatMap((image) => image.names.map((name) => ({ name, image })));
    await inParallel(names, atATime, ({ name, image }) => writeName(wire, name, image));
    await wire.leases.delete({ id: lease, sync: true });
  } finally {
    wire.close();
  }
}

async function writeBlob(wire: Wire, { descriptor, bytes, labels }: LabelledBlob): Promise<void> {
  const { digest, size } = descriptor;
  const request = {
    action: WriteAction.COMMIT,
    ref: `bench-${digest}`,
    total: BigInt(size),
    expected: digest,
    offset: 0n,
    data: bytes,
    labels: { ...labels },
  };
  for await (const _ of wire.content.write(once(request)));
}

async function* once<T>(value: T): AsyncIterable<T> {
  yield value;
}

/** A layer can be unpacked when the one below it is there. */
function byDepth(images: readonly SyntheticImage[]): readonly (readonly LayerToUnpack[])[] {
  const depths: Map<string, LayerToUnpack>[] = [];
  for (const image of images) {
    image.layers.forEach((layer, depth) => {
      depths[depth] ??= new Map();
      depths[depth].set(layer.chainId, layer);
    });
  }
  return depths.map((layers) => [...layers.values()]);
}

async function unpack(wire: Wire, snapshotter: string, { chainId, parent }: LayerToUnpack): Promise<void> {
  const key = `extract-${chainId}`;
  const labels = { "containerd.io/snapshot.ref": chainId };
  await wire.snapshots.prepare({ snapshotter, key, parent: parent ?? "", labels });
  await wire.snapshots.commit({ snapshotter, name: chainId, key, labels });
}

async function writeName(wire: Wire, name: string, { target }: SyntheticImage): Promise<void> {
  const { mediaType, digest, size } = target;
  const labels = { "io.cri-containerd.image": "managed" };
  await wire.images.create({ image: { name, labels, target: { mediaType, digest, size: BigInt(size) } } });
}
