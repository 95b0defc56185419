// Image references: parse, normalise, show. Behaviour of distribution/reference v0.6 and of containerd's CRI plugin.
import type { Digest } from "./digest.ts";

/** A parsed reference in full form: the domain is always there, `library/` is added for docker.io's official images. */
export interface Reference {
  readonly domain: string;
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}
