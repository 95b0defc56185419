// Multi-platform images: an index over images of several platforms, some of which may be left out of the store.
import { type Descriptor, mediaTypes, type Storable, toJsonBlob, withoutRepeats } from "./descriptor.ts";
import type { BuiltImage } from "./image.ts";

export interface BuiltIndex extends Storable {
  /** The same as `target`. */
  readonly index: Descriptor;
  /** Every child, also those left out. */
  readonly children: readonly BuiltImage[];
  /** All content including the children left out: what a registry must hold before it takes the index. */
  readonly complete: Storable;
}

export interface IndexOptions {
  /** Children that the index lists but whose content is not there, as after a pull of one platform. */
  readonly leaveOut?: readonly BuiltImage[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Builds the index of `children` in their order (OCI image spec, "Image Index"). */
export function buildIndex(
  children: readonly BuiltImage[],
  { leaveOut = [], annotations }: IndexOptions = {},
): BuiltIndex {
  const manifests = children.map((child) => ({ ...child.manifest, platform: child.platform }));
  const index = toJsonBlob({ schemaVersion: 2, mediaType: mediaTypes.index, manifests, annotations }, mediaTypes.index);
  const target = index.descriptor;
  const present = children.filter((child) => !leaveOut.includes(child));
  return {
    target,
    index: target,
    children,
    blobs: withoutRepeats([...present.flatMap((child) => child.blobs), index]),
    complete: { target, blobs: withoutRepeats([...children.flatMap((child) => child.blobs), index]) },
  };
}
