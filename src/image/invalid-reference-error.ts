// The one error of reference parsing.

/** Thrown for text that is not an image reference. The message is the one that Docker and containerd give. */
export class InvalidReferenceError extends Error {
  override readonly name = "InvalidReferenceError";
}
