// Images as one archive for `docker load`: an OCI layout for the containerd image store, with the older list of images that
// engines with a graph driver read.
import { hexOf } from "../../../src/image/digest.ts";
import { familiarName, parseReference } from "../../../src/image/reference.ts";
import type { Descriptor, Storable } from "../oci/descriptor.ts";
import { type NamedImage, toLayoutTar } from "../oci/layout.ts";
import { createTar } from "../oci/tar.ts";

/** The two empty blocks that end an archive. */
const endBytes = 1024;

/** The archive with all images. A multi-platform image is in the layout only: graph drivers do not know of such. */
export function toDockerTar(images: readonly NamedImage[]): Buffer {
  const rows = images.flatMap(toRow);
  const list = createTar([{ kind: "file", path: "manifest.json", content: Buffer.from(JSON.stringify(rows)) }]);
  return Buffer.concat([list.subarray(0, -endBytes), toLayoutTar(images)]);
}

/** Docker image specification 1.2, "Combined Image JSON + Filesystem Changeset Format". */
function toRow({ image, names }: NamedImage): readonly unknown[] {
  const { config, layers } = manifestOf(image);
  if (config === undefined || layers === undefined) return [];
  const RepoTags = names.map((name) => familiarName(parseReference(name)));
  return [{ Config: pathOf(config), RepoTags, Layers: layers.map(pathOf) }];
}

function manifestOf(image: Storable): { config?: Descriptor; layers?: readonly Descriptor[] } {
  const target = image.blobs.find(({ descriptor }) => descriptor.digest === image.target.digest);
  return target === undefined ? {} : JSON.parse(Buffer.from(target.bytes).toString("utf8"));
}

function pathOf({ digest }: Descriptor): string {
  return `blobs/sha256/${hexOf(digest)}`;
}
