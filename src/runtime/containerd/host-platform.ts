// The platform of this node, in the words of image configs.
import type { Platform } from "./content-facts.ts";

/** Node's names of processors where they differ from those of images. */
const architectures: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", ppc64: "ppc64le" };

/** The platform whose images run here. */
export function hostPlatform(): Platform {
  return { os: "linux", architecture: architectures[process.arch] ?? process.arch };
}
