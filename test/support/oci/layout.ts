// Images as one OCI layout archive, the form that `ctr images import` reads.
import { hexOf } from "../../../src/image/digest.ts";
import { mediaTypes, type Storable, withoutRepeats } from "./descriptor.ts";
import { createTar, type TarEntry } from "./tar.ts";

/** An image and the names it gets, each exactly as the store shall hold it. */
export interface NamedImage {
  readonly image: Storable;
  readonly names: readonly string[];
}

/** containerd takes the name of a record from this annotation, as it is. */
const nameAnnotation = "io.containerd.image.name";

/** The archive with all images, shared content once (OCI image spec, "Image Layout"). */
export function toLayoutTar(images: readonly NamedImage[]): Buffer {
  const blobs = withoutRepeats(images.flatMap(({ image }) => image.blobs));
  const manifests = images.flatMap(({ image, names }) =>
    names.map((name) => ({ ...image.target, annotations: { [nameAnnotation]: name } })),
  );
  return createTar([
    jsonFile("oci-layout", { imageLayoutVersion: "1.0.0" }),
    ...blobs.map(
      (blob): TarEntry => ({
        kind: "file",
        path: `blobs/sha256/${hexOf(blob.descriptor.digest)}`,
        content: blob.bytes,
      }),
    ),
    jsonFile("index.json", { schemaVersion: 2, mediaType: mediaTypes.index, manifests }),
  ]);
}

function jsonFile(path: string, value: unknown): TarEntry {
  return { kind: "file", path, content: Buffer.from(JSON.stringify(value)) };
}
