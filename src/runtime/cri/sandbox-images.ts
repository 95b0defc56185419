// Which image the sandboxes of pods stand on (the pause image). CRI's list does not say; verbose answers mostly do.
import { mapBounded } from "../bounded.ts";
import type { Scope } from "../wire/calls.ts";
import type { CriLink } from "./cri-link.ts";
import { readObject, textIn } from "./info-json.ts";

const questionsAtATime = 16;

/** `none`: the sandbox runs no container of its own. `untold`: the runtime does not say. */
export type SandboxImage =
  | { readonly kind: "image"; readonly image: string }
  | { readonly kind: "none" }
  | { readonly kind: "untold" };

/** Asks about each sandbox once: its image never changes. Forgets sandboxes that are gone. */
export class SandboxImageReader {
  readonly #link: CriLink;
  #known = new Map<string, SandboxImage>();

  constructor(link: CriLink) {
    this.#link = link;
  }

  async read(ids: readonly string[], scope: Scope): Promise<ReadonlyMap<string, SandboxImage>> {
    const known = this.#known;
    const entries = await mapBounded(ids, questionsAtATime, async (id) => {
      return [id, known.get(id) ?? readSandboxImage(await this.#link.sandboxInfo(id, scope))] as const;
    });
    this.#known = new Map(entries);
    return this.#known;
  }
}

/** Reads the JSON that containerd and CRI-O give. CRI-O leaves the image out where it made no pause container. */
export function readSandboxImage(info: string | undefined): SandboxImage {
  const told = readObject(info);
  if (told === undefined) return { kind: "untold" };
  const image = textIn(told, "image");
  return image ? { kind: "image", image } : { kind: "none" };
}
