// From CRI's view to the uses of images. Pure.
import type { Digest } from "../../image/digest.ts";
import type { Container } from "../../image/node-state.ts";
import { formatReference, tryParseReference, withDefaultTag } from "../../image/reference.ts";
import type { CriView } from "./cri-link.ts";
import type { ListedImage } from "./images.ts";
import type { SandboxImage } from "./sandbox-images.ts";
import { type CriSandbox, type CriUse, digestIn } from "./use.ts";

export interface ContainerSources {
  readonly view: CriView;
  readonly images: readonly ListedImage[];
  readonly sandboxImages: ReadonlyMap<string, SandboxImage>;
  /** The sandbox image that the runtime's settings name; undefined when they do not tell. */
  readonly configured: string | undefined;
}

/** Every container and every sandbox that uses an image. */
export function describeContainers(sources: ContainerSources): readonly Container[] {
  const named = imagesByName(sources.images);
  const containers = [...sources.view.containers].map(([id, use]) => describeContainer(id, use, named));
  const sandboxes = [...sources.view.sandboxes].flatMap(([id, sandbox]) => {
    const image = imageOfSandbox(id, sources);
    return image === undefined ? [] : [describeSandbox({ id, sandbox, image }, named)];
  });
  return [...containers, ...sandboxes];
}

type ImagesByName = ReadonlyMap<string, Digest>;

function imagesByName(images: readonly ListedImage[]): ImagesByName {
  return new Map(images.flatMap(({ id, names }) => names.map((name) => [name, id] as const)));
}

/** Everything that CRI says of the container's image counts: by digest, and by the name that it had besides the spelled one. */
function describeContainer(id: string, use: CriUse, named: ImagesByName): Container {
  const byName = use.otherNames.flatMap((name) => lookUp(name, named) ?? []);
  const told = [use.imageId, ...use.otherImageIds, ...byName].filter((text) => text !== "");
  const [imageId = "", ...otherImageIds] = new Set(told);
  const { image, state, imageMounts, pod, createdAt } = use;
  return {
    id,
    image,
    imageId,
    otherImageIds,
    state,
    kind: "container",
    snapshotKey: "",
    imageMounts,
    ...(pod === undefined ? {} : { pod }),
    ...(createdAt === undefined ? {} : { createdAt }),
  };
}

interface Sandbox {
  readonly id: string;
  readonly sandbox: CriSandbox;
  readonly image: string;
}

function describeSandbox({ id, sandbox: { state, pod, createdAt }, image }: Sandbox, named: ImagesByName): Container {
  return {
    id,
    image,
    imageId: digestIn(image) ?? lookUp(image, named) ?? "",
    otherImageIds: [],
    state,
    kind: "sandbox",
    snapshotKey: "",
    imageMounts: [],
    ...(pod === undefined ? {} : { pod }),
    ...(createdAt === undefined ? {} : { createdAt }),
  };
}

/**
 * What a sandbox stands on; undefined when that is none of our business: it has no container, or the runtime pins the pause image
 * and so protects it by itself. The empty text, for a runtime that tells nothing at all, keeps every image.
 */
function imageOfSandbox(id: string, { sandboxImages, images, configured }: ContainerSources): string | undefined {
  const found = sandboxImages.get(id) ?? { kind: "untold" };
  if (found.kind === "image") return found.image;
  if (found.kind === "none") return undefined;
  if (configured !== undefined) return configured;
  return images.some(({ pinned }) => pinned) ? undefined : "";
}

/** The image that a name means now, in whichever form it is written. */
function lookUp(name: string, named: ImagesByName): Digest | undefined {
  const parsed = tryParseReference(name);
  return named.get(name) ?? (parsed === undefined ? undefined : named.get(formatReference(withDefaultTag(parsed))));
}
