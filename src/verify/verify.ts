// Reads the content of images and compares it with its digests. Changes nothing; every blob is read once.
import type { Digest } from "../image/digest.ts";
import type { Image } from "../image/node-state.ts";
import type { Clock } from "../observe/clock.ts";
import type { ContainerRuntime } from "../runtime/runtime.ts";
import { type BlobCheck, type BlobReading, checkBlob } from "./check-blob.ts";
import { type BlobRole, type ExpectedBlob, expectedContent } from "./expected-content.ts";
import { createPace } from "./pace.ts";

/** An image and the namespace that holds it. */
export interface ImageToVerify {
  readonly namespace: string;
  readonly image: Image;
}

export interface VerifyProgress {
  readonly readBytes: number;
  /** Grows while manifests are read; final from the first layer on. */
  readonly totalBytes: number;
  readonly problems: number;
}

export interface VerifyInput {
  readonly images: readonly ImageToVerify[];
  readonly runtime: Pick<ContainerRuntime, "readBlob" | "remaining">;
  readonly clock: Pick<Clock, "elapsed" | "sleep">;
  /** Bytes a second. Default: no limit. */
  readonly rate?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: VerifyProgress) => void;
}

/** A blob that is not what it should be. */
export interface BlobProblem {
  readonly digest: Digest;
  readonly role: BlobRole;
  readonly problem: "altered" | "truncated" | "missing" | "unreadable";
  /** Bytes that there should be; undefined when nobody says. */
  readonly size: number | undefined;
  readonly readBytes: number;
  /** The digest of what is there instead. */
  readonly foundDigest: string | undefined;
  /** Every image that needs the blob. */
  readonly images: readonly ImageToVerify[];
}

export interface VerifyResult {
  readonly images: number;
  /** Blobs that were read, each once. */
  readonly blobs: number;
  readonly bytes: number;
  /** Layers that the runtime let go of after it had unpacked them. */
  readonly discarded: number;
  /** Blobs of platforms that were not fetched. */
  readonly notFetched: number;
  /** Blobs that the runtime itself removed meanwhile. */
  readonly collected: number;
  /** In the order in which they were found: what is nearest to the images' targets first. */
  readonly problems: readonly BlobProblem[];
}

/** Verifies images. Throws `RuntimeError` when the runtime cannot be asked, or when `signal` fires. */
export async function verifyImages(input: VerifyInput): Promise<VerifyResult> {
  const checks = new Checks(input);
  const discarded = new Set<Digest>();
  const notFetched = new Set<Digest>();
  const needed = new Map<Digest, Needed>();
  for (const one of input.images) {
    const content = await expectedContent(one.image, (digest, size) => checks.read(one.namespace, digest, size));
    for (const digest of content.discarded) discarded.add(digest);
    for (const digest of content.notFetched) notFetched.add(digest);
    for (const blob of content.blobs) addNeed(needed, blob, one);
  }
  checks.expect([...needed.values()]);
  const problems: BlobProblem[] = [];
  for (const need of needed.values()) {
    const check = need.blob.here ? await checks.check(need.images[0]?.namespace ?? "", need.blob) : missing;
    const problem = problemOf(need, check);
    if (problem === undefined) continue;
    problems.push(problem);
    checks.foundProblem();
  }
  return {
    images: input.images.length,
    ...checks.totals(),
    discarded: discarded.size,
    notFetched: notFetched.size,
    problems,
  };
}

interface Needed {
  readonly blob: ExpectedBlob;
  readonly images: ImageToVerify[];
}

const missing: BlobCheck = { kind: "missing", readBytes: 0 };

function addNeed(needed: Map<Digest, Needed>, blob: ExpectedBlob, image: ImageToVerify): void {
  const known = needed.get(blob.digest);
  if (known === undefined) needed.set(blob.digest, { blob, images: [image] });
  // The blob may be here for one namespace and not for another: the one that has it can be read.
  else if (blob.here && !known.blob.here) needed.set(blob.digest, { blob, images: [image, ...known.images] });
  else known.images.push(image);
}

function problemOf({ blob, images }: Needed, check: BlobCheck): BlobProblem | undefined {
  if (check.kind === "whole" || check.kind === "collected") return undefined;
  const foundDigest = "foundDigest" in check ? check.foundDigest : undefined;
  const { digest, role, size } = blob;
  return { digest, role, problem: check.kind, size, readBytes: check.readBytes, foundDigest, images };
}

/** The blobs that were read so far: none is read twice. */
class Checks {
  readonly #input: VerifyInput;
  readonly #reading: BlobReading;
  readonly #done = new Map<Digest, BlobCheck>();
  #readBytes = 0;
  #totalBytes = 0;
  #problems = 0;

  constructor(input: VerifyInput) {
    this.#input = input;
    const pace = createPace(input.rate, input.clock, input.signal);
    this.#reading = {
      runtime: input.runtime,
      options: input.signal === undefined ? {} : { signal: input.signal },
      onPiece: (bytes) => {
        this.#readBytes += bytes;
        this.#tell();
        return pace(bytes);
      },
    };
  }

  /** The bytes of a manifest or an index; undefined when they are not what the digest says. */
  async read(namespace: string, digest: Digest, size: number): Promise<Uint8Array | undefined> {
    const known = this.#done.get(digest);
    const check = known ?? (await checkBlob({ namespace, digest, size, keep: true }, this.#reading));
    if (known === undefined) this.#totalBytes += size;
    this.#done.set(digest, check);
    return check.kind === "whole" ? check.bytes : undefined;
  }

  async check(namespace: string, { digest, size }: ExpectedBlob): Promise<BlobCheck> {
    const known = this.#done.get(digest);
    if (known !== undefined) return known;
    const check = await checkBlob({ namespace, digest, size, keep: false }, this.#reading);
    this.#done.set(digest, check);
    return check;
  }

  expect(needed: readonly Needed[]): void {
    const sizes = needed.map(({ blob }) => (blob.here ? (blob.size ?? 0) : 0));
    this.#totalBytes = sizes.reduce((sum, size) => sum + size, 0);
    this.#tell();
  }

  foundProblem(): void {
    this.#problems += 1;
    this.#tell();
  }

  totals(): { readonly blobs: number; readonly bytes: number; readonly collected: number } {
    const collected = [...this.#done.values()].filter(({ kind }) => kind === "collected").length;
    return { blobs: this.#done.size - collected, bytes: this.#readBytes, collected };
  }

  #tell(): void {
    const { onProgress } = this.#input;
    onProgress?.({ readBytes: this.#readBytes, totalBytes: this.#totalBytes, problems: this.#problems });
  }
}
