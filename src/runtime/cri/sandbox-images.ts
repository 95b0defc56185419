// Which image the sandboxes of pods stand on (the pause image). CRI's list does not say; verbose answers mostly do.
import type { Scope } from "../wire/calls.ts";
import { AskedOnce } from "./asked-once.ts";
import type { CriLink } from "./cri-link.ts";
import { readObject, textIn } from "./info-json.ts";

/** `none`: the sandbox runs no container of its own. `untold`: the runtime does not say. */
export type SandboxImage =
  | { readonly kind: "image"; readonly image: string }
  | { readonly kind: "none" }
  | { readonly kind: "untold" };

/** Asks about each sandbox once: its image never changes. Forgets sandboxes that are gone. */
export class SandboxImageReader {
  readonly #link: CriLink;
  readonly #images = new AskedOnce<string, SandboxImage>();

  constructor(link: CriLink) {
    this.#link = link;
  }

  read(ids: readonly string[], scope: Scope): Promise<ReadonlyMap<string, SandboxImage>> {
    return this.#images.about(ids, async (id) => readSandboxImage(await this.#link.sandboxInfo(id, scope)));
  }
}

/** Reads the JSON that containerd and CRI-O give. CRI-O leaves the image out where it made no pause container. */
export function readSandboxImage(info: string | undefined): SandboxImage {
  const told = readObject(info);
  if (told === undefined) return { kind: "untold" };
  const image = textIn(told, "image");
  return image ? { kind: "image", image } : { kind: "none" };
}
