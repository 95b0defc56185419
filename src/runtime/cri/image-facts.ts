// What runtimes tell of an image's config when they are asked for more than the list. Optional: CRI does not define it.
import type { Digest } from "../../image/digest.ts";
import type { Image } from "../../image/node-state.ts";
import { RuntimeError } from "../runtime-error.ts";
import type { Scope } from "../wire/calls.ts";
import { AskedOnce } from "./asked-once.ts";
import type { CriLink } from "./cri-link.ts";
import type { ListedImage } from "./images.ts";
import { objectIn, readObject, stringMapIn, textIn } from "./info-json.ts";

export type ImageFacts = Pick<Image, "labels" | "platform" | "createdAt">;

/** Asks about each image once: a config never changes. Forgets images that are gone. */
export class ImageFactReader {
  readonly #link: CriLink;
  readonly #facts = new AskedOnce<Digest, ImageFacts>();

  constructor(link: CriLink) {
    this.#link = link;
  }

  /** The facts by image ID; an image that the runtime tells nothing of has none. */
  read(images: readonly ListedImage[], scope: Scope): Promise<ReadonlyMap<Digest, ImageFacts>> {
    const listed = new Map(images.map(({ id, listedId }) => [id, listedId]));
    return this.#facts.about([...listed.keys()], async (id) => readFacts(await this.#ask(listed.get(id) ?? id, scope)));
  }

  /** An image that the runtime cannot describe is still an image: only a runtime that does not answer is a failure. */
  async #ask(image: string, scope: Scope): Promise<string | undefined> {
    try {
      return await this.#link.imageInfo(image, scope);
    } catch (error) {
      if (error instanceof RuntimeError && !serious.has(error.code)) return undefined;
      throw error;
    }
  }
}

const serious: ReadonlySet<string> = new Set(["unavailable", "timeout", "denied"]);

/** Reads the JSON that containerd and CRI-O give: the image's config under `imageSpec`. */
export function readFacts(info: string | undefined): ImageFacts {
  const spec = objectIn(readObject(info), "imageSpec");
  if (spec === undefined) return {};
  const os = textIn(spec, "os");
  const architecture = textIn(spec, "architecture");
  const createdAt = Date.parse(textIn(spec, "created") ?? "");
  const config = objectIn(spec, "config");
  return {
    labels: stringMapIn(config, "Labels"),
    ...(os && architecture ? { platform: `${os}/${architecture}` } : {}),
    ...(Number.isNaN(createdAt) ? {} : { createdAt }),
  };
}
