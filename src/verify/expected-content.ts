// What content an image should have: follows it from its target through manifests to configs and layers.
import type { Digest } from "../image/digest.ts";
import type { Image } from "../image/node-state.ts";
import { type Listed, type Listing, readListing } from "./manifest.ts";

export type BlobRole = "index" | "manifest" | "config" | "layer" | "content";

/** A blob that an image should have. */
export interface ExpectedBlob {
  readonly digest: Digest;
  readonly role: BlobRole;
  /** Bytes as the runtime or, for what it does not know, the lister says. */
  readonly size: number | undefined;
  /** False when the runtime does not know the blob: the image is broken. */
  readonly here: boolean;
}

export interface ExpectedContent {
  readonly blobs: readonly ExpectedBlob[];
  /** Layers that the runtime let go of after it had unpacked them. */
  readonly discarded: readonly Digest[];
  /** Manifests, configs and layers of platforms that were not fetched, or not wholly. */
  readonly notFetched: readonly Digest[];
}

/** Reads a manifest or an index whose digest was found to be right; undefined when it is wrong, missing or no JSON. */
export type ReadDocument = (digest: Digest, size: number) => Promise<Uint8Array | undefined>;

/** Finds out what an image should have. What is not listed by a readable manifest is expected because the runtime keeps it. */
export async function expectedContent(image: Image, read: ReadDocument): Promise<ExpectedContent> {
  const walk = new Walk(image, read);
  await walk.follow(image.target);
  return walk.finish();
}

type Manifest = Extract<Listing, { kind: "manifest" }>;

/** Indexes inside indexes deeper than this are not followed; nobody builds them. */
const maxDepth = 4;

class Walk {
  readonly #image: Image;
  readonly #read: ReadDocument;
  readonly #here: ReadonlyMap<Digest, number>;
  readonly #expected = new Map<Digest, ExpectedBlob>();
  readonly #discarded = new Set<Digest>();
  readonly #notFetched = new Set<Digest>();
  readonly #manifests: Manifest[] = [];

  constructor(image: Image, read: ReadDocument) {
    this.#image = image;
    this.#read = read;
    this.#here = new Map(image.blobs.map(({ digest, size }) => [digest, size]));
  }

  async follow(digest: Digest, depth = 0): Promise<void> {
    const size = this.#here.get(digest);
    if (this.#expected.has(digest) || depth > maxDepth) return;
    const bytes = size === undefined ? undefined : await this.#read(digest, size);
    const listing = bytes === undefined ? undefined : readListing(bytes);
    this.#expect({ digest, size }, listing?.kind ?? this.#kindOf(digest));
    if (listing?.kind === "manifest") this.#manifests.push(listing);
    if (listing?.kind === "index") await this.#followIndex(listing, depth);
  }

  /** Usually one platform of an index is here. Only when none is, something is wrong. */
  async #followIndex({ manifests }: Extract<Listing, { kind: "index" }>, depth: number): Promise<void> {
    const images = manifests.filter(({ attestation }) => !attestation);
    const noneHere = !images.some(({ digest }) => this.#here.has(digest));
    for (const manifest of manifests) {
      if (this.#here.has(manifest.digest)) await this.follow(manifest.digest, depth + 1);
      else if (noneHere && !manifest.attestation) this.#expect(manifest, "manifest");
      else this.#notFetched.add(manifest.digest);
    }
  }

  finish(): ExpectedContent {
    const noneWhole = !this.#manifests.some((manifest) => this.#hasConfig(manifest));
    for (const manifest of this.#manifests) {
      if (noneWhole || this.#hasConfig(manifest)) this.#expectManifest(manifest);
      else this.#leaveOut(manifest);
    }
    // A manifest that cannot be trusted lists nothing: what the runtime keeps for the image is read all the same.
    for (const [digest, size] of this.#here) this.#expect({ digest, size }, this.#kindOf(digest));
    return {
      blobs: [...this.#expected.values()],
      discarded: [...this.#discarded],
      notFetched: [...this.#notFetched].filter((digest) => !this.#expected.has(digest)),
    };
  }

  #hasConfig({ config }: Manifest): boolean {
    return config === undefined || this.#here.has(config.digest);
  }

  #expectManifest({ config, layers }: Manifest): void {
    if (config !== undefined) this.#expect(config, "config");
    const unpacked = this.#image.snapshots.length > 0;
    for (const layer of layers) {
      if (unpacked && !this.#here.has(layer.digest)) this.#discarded.add(layer.digest);
      else this.#expect(layer, "layer");
    }
  }

  #leaveOut({ config, layers }: Manifest): void {
    for (const listed of config === undefined ? layers : [config, ...layers]) {
      if (!this.#here.has(listed.digest)) this.#notFetched.add(listed.digest);
    }
  }

  #expect({ digest, size }: Listed, role: BlobRole): void {
    if (this.#expected.has(digest)) return;
    const here = this.#here.get(digest);
    this.#expected.set(digest, { digest, role, size: here ?? size, here: here !== undefined });
  }

  #kindOf(digest: Digest): BlobRole {
    const { digests, digestKinds } = this.#image;
    const at = digests.indexOf(digest);
    return digestKinds?.[at] ?? (at < 0 ? "content" : digest === this.#image.target ? "manifest" : "config");
  }
}
