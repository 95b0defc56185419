// Reads one blob and compares it with its digest.
import { createHash } from "node:crypto";
import type { Digest } from "../image/digest.ts";
import type { CallOptions, ContainerRuntime } from "../runtime/runtime.ts";
import { RuntimeError } from "../runtime/runtime-error.ts";

/** What reading a blob gave. */
export type BlobCheck =
  | { readonly kind: "whole"; readonly readBytes: number; readonly bytes?: Uint8Array }
  /** The bytes are others than the digest says. `truncated`: there are fewer than there should be. */
  | { readonly kind: "altered" | "truncated"; readonly readBytes: number; readonly foundDigest: string }
  /** The runtime knows the blob and its bytes are not there. */
  | { readonly kind: "missing"; readonly readBytes: 0 }
  /** The bytes are there and cannot be read. */
  | { readonly kind: "unreadable"; readonly readBytes: number; readonly message: string }
  /** The runtime itself let go of the blob while content was read. */
  | { readonly kind: "collected"; readonly readBytes: 0 };

export interface BlobToCheck {
  readonly namespace: string;
  readonly digest: Digest;
  /** Bytes, when known. */
  readonly size: number | undefined;
  /** Keeps the bytes of a whole blob, up to 8 MiB. */
  readonly keep: boolean;
}

export interface BlobReading {
  readonly runtime: Pick<ContainerRuntime, "readBlob" | "remaining">;
  readonly options: CallOptions;
  /** Told the length of every piece; may take its time. */
  readonly onPiece: (bytes: number) => Promise<void>;
}

/** Larger blobs are no manifests. */
const mostKept = 8 << 20;

/** Checks a blob. Throws `RuntimeError` when the runtime cannot be asked; a blob that is wrong is an answer. */
export async function checkBlob(blob: BlobToCheck, reading: BlobReading): Promise<BlobCheck> {
  const { digest, size, keep } = blob;
  const algorithm = digest.slice(0, digest.indexOf(":"));
  const hash = createHash(algorithm);
  const pieces: Uint8Array[] = [];
  let readBytes = 0;
  try {
    for await (const piece of reading.runtime.readBlob(blob.namespace, digest, reading.options)) {
      hash.update(piece);
      readBytes += piece.length;
      if (keep && readBytes <= mostKept) pieces.push(piece);
      await reading.onPiece(piece.length);
    }
  } catch (error) {
    return whatWentWrong(error, readBytes, blob, reading);
  }
  const foundDigest = `${algorithm}:${hash.digest("hex")}`;
  if (foundDigest !== digest) {
    return { kind: size !== undefined && readBytes < size ? "truncated" : "altered", readBytes, foundDigest };
  }
  return keep && readBytes <= mostKept
    ? { kind: "whole", readBytes, bytes: Buffer.concat(pieces) }
    : { kind: "whole", readBytes };
}

async function whatWentWrong(
  error: unknown,
  readBytes: number,
  { namespace, digest }: BlobToCheck,
  { runtime, options }: BlobReading,
): Promise<BlobCheck> {
  if (!(error instanceof RuntimeError)) throw error;
  if (error.code === "not-found") {
    const { blobs } = await runtime.remaining(namespace, { blobs: [digest], snapshots: [] }, options);
    return { kind: blobs.includes(digest) ? "missing" : "collected", readBytes: 0 };
  }
  // The daemon answers, but not with these bytes: its disk is at fault. Everything else is no verdict on the blob.
  if (error.code === "internal") return { kind: "unreadable", readBytes, message: error.message };
  throw error;
}
