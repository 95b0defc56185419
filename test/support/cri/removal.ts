// What RemoveImage does on the runtimes, as their sources say: CRI-O's server/image_remove.go, containerd's CRI image service.
import { Code, ConnectError } from "@connectrpc/connect";
import type { FakeCri, FakeImage } from "./fake-cri.ts";

/** By ID or a beginning of it (three digits or more) the image with all its names, by name that name alone. Nobody is told a code. */
export function removeAsCrio(node: FakeCri, wanted: string): void {
  if (wanted === "") throw new ConnectError("no image specified", Code.Unknown);
  const byId = /^[0-9a-f]{3,64}$/.test(wanted)
    ? node.images.find(({ id, artifact }) => !artifact && id.startsWith(wanted))
    : undefined;
  if (byId !== undefined) {
    deleteUnlessUsed(node, byId);
    return;
  }
  if (/^[0-9a-f]{64}$/.test(wanted)) {
    const known = node.images.some(({ id }) => id === wanted);
    if (known) throw new ConnectError("cannot specify 64-byte hexadecimal strings as image names", Code.Unknown);
    return;
  }
  const named = node.images.find(({ repoTags, repoDigests }) => [...repoTags, ...repoDigests].includes(wanted));
  if (named === undefined) return;
  if (named.artifact || named.repoTags.length + named.repoDigests.length === 1) {
    deleteUnlessUsed(node, named);
    return;
  }
  named.repoTags = named.repoTags.filter((name) => name !== wanted);
  named.repoDigests = named.repoDigests.filter((name) => name !== wanted);
}

function deleteUnlessUsed(node: FakeCri, image: FakeImage): void {
  const user = node.containers.find(({ imageId }) => imageId === image.id);
  if (user !== undefined) {
    const why = `delete image: image used by ${user.id}: image is in use by a container`;
    throw new ConnectError(why, Code.Unknown);
  }
  node.images = node.images.filter((other) => other !== image);
}

/** The image with all its names, whatever it was called by, and whoever uses it. The empty text is the beginning of any ID. */
export function removeAsContainerd(node: FakeCri, wanted: string): void {
  const hex = wanted.replace(/^sha256:/, "");
  const found = node.images.filter(({ id, repoTags, repoDigests }) => {
    return [...repoTags, ...repoDigests].includes(wanted) || id.replace(/^sha256:/, "").startsWith(hex);
  });
  if (found.length === 1) node.images = node.images.filter((image) => image !== found[0]);
}
