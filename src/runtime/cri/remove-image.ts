// Removes one image through CRI, and believes nothing but the list.
import type { Digest } from "../../image/digest.ts";
import type { CallOptions, ImageRemovalResult, WholeImage } from "../runtime.ts";
import { RuntimeError } from "../runtime-error.ts";
import { scopeOf } from "../wire/calls.ts";
import type { CriLink } from "./cri-link.ts";
import type { ImageListing } from "./image-listing.ts";
import type { ListedImage } from "./images.ts";

const operation = "remove image";

/**
 * Removes the image by its whole ID as a fresh list gives it: an empty or short ID means some image or other to CRI, and a name
 * means different things to different runtimes. Which error comes back says little, so the list decides what became of it.
 */
export async function removeImage(
  { link, listing }: { readonly link: CriLink; readonly listing: ImageListing },
  { id, names, pinned }: WholeImage,
  options: CallOptions | undefined,
): Promise<ImageRemovalResult> {
  const scope = scopeOf(options);
  const found = byId(await listing.fresh(scope), id);
  if (found === undefined) return { kind: "already-gone" };
  const unknown = found.names.find((name) => !names.includes(name));
  if (unknown !== undefined) return { kind: "renamed", name: unknown };
  if (found.pinned && !pinned) throw new RuntimeError("conflict", operation, `the runtime pins ${id} by now`);
  const failure = await failureOf(link.removeImage(found.listedId, scope));
  // What became of it is worth knowing even when the time for the removal itself is used up.
  const left = byId(await listing.fresh(scopeOf(options)).catch((error) => throwFirst(failure, error)), id);
  if (left === undefined) return { kind: "removed", names: found.names };
  throw failure === undefined ? notGone(id) : refused(failure);
}

function byId(images: readonly ListedImage[], id: Digest): ListedImage | undefined {
  return images.find((image) => image.id === id);
}

async function failureOf(removal: Promise<void>): Promise<RuntimeError | undefined> {
  try {
    await removal;
    return undefined;
  } catch (error) {
    if (error instanceof RuntimeError) return error;
    throw error;
  }
}

function throwFirst(first: RuntimeError | undefined, second: unknown): never {
  throw first ?? second;
}

function notGone(id: Digest): RuntimeError {
  return new RuntimeError(
    "conflict",
    operation,
    `the runtime said that it removed ${id}, and still lists it: look at its log (CRI-O removes OCI artifacts by name only)`,
  );
}

/** CRI-O refuses an image in use with an error of no particular code (spec: cri-api, section 4). */
function refused(failure: RuntimeError): RuntimeError {
  const inUse = /\b(?:in use|used by|mounted as volume)\b/.test(failure.message);
  if (failure.code !== "internal" || !inUse) return failure;
  return new RuntimeError("conflict", operation, failure.message.slice(`${operation}: `.length), failure);
}
