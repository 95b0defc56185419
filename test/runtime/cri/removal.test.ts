// Removing an image through CRI: by its whole ID only, and believed only when it is gone from the list.
import { describe, expect, test } from "vitest";
import { type Digest, hexOf } from "../../../src/image/digest.ts";
import type { ContainerRuntime, ImageRemovalResult } from "../../../src/runtime/runtime.ts";
import { fakeCrio } from "../../support/cri/fake-cri.ts";
import { removeAsContainerd, removeAsCrio } from "../../support/cri/removal.ts";
import { digestOf } from "../../support/node-builder.ts";
import { useFakeCri } from "./harness.ts";

const fake = useFakeCri();
const web = digestOf("config web");
const other = digestOf("config other");

const tags = ["quay.example/web:1", "quay.example/web:latest"];

function twoImages() {
  return [
    { id: hexOf(web), repoTags: tags, repoDigests: [] },
    { id: hexOf(other), repoTags: ["quay.example/other:1"], repoDigests: [] },
  ];
}

function remove(
  runtime: ContainerRuntime,
  id: Digest = web,
  names: readonly string[] = tags,
): Promise<ImageRemovalResult> {
  return runtime.removeImage("cri", { id, target: id, names, pinned: false }, { timeoutMs: 5_000 });
}

function removals(): readonly string[] {
  return fake.node.calls.filter((call) => call.startsWith("RemoveImage"));
}

describe("a removal", () => {
  test("names the image by the whole ID as it is listed, and takes all its names", async () => {
    fake.node.images = twoImages();

    const result = await remove(await fake.connect());

    expect(result).toEqual({ kind: "removed", names: tags });
    expect(removals()).toEqual([`RemoveImage ${hexOf(web)}`]);
    expect(fake.node.images.map(({ id }) => id)).toEqual([hexOf(other)]);
  });

  test("looks at a list that was asked for after it began, however short ago another one was", async () => {
    fake.node.images = twoImages();
    const runtime = await fake.connect();
    await runtime.observe();
    fake.node.images = fake.node.images.map((image) => ({ ...image, repoTags: [...image.repoTags, "web:new"] }));

    const result = await remove(runtime);

    expect(result).toEqual({ kind: "renamed", name: "web:new" });
    expect(removals()).toEqual([]);
  });

  test("of an image that is gone is done, and nothing is asked for", async () => {
    fake.node.images = twoImages().slice(1);

    expect(await remove(await fake.connect())).toEqual({ kind: "already-gone" });
    expect(removals()).toEqual([]);
  });

  test("of an image that got pinned is refused, of one that was known to be pinned it is not", async () => {
    fake.node.images = twoImages().map((image) => ({ ...image, pinned: true }));
    const runtime = await fake.connect();

    await expect(remove(runtime)).rejects.toMatchObject({ code: "conflict", message: /pins sha256:.* by now/ });
    const knowing = await runtime.removeImage("cri", { id: web, target: web, names: tags, pinned: true });

    expect(knowing.kind).toBe("removed");
  });

  test("that CRI-O refuses because a container came meanwhile is a conflict that names it", async () => {
    fake.node.images = twoImages();
    fake.node.containers = [{ id: "0f1e2d3c", imageId: hexOf(web) }];

    const removal = remove(await fake.connect());

    await expect(removal).rejects.toMatchObject({
      code: "conflict",
      message: "remove image: delete image: image used by 0f1e2d3c: image is in use by a container",
    });
  });

  test("that is said to be done while the image is still listed is a failure, in one line", async () => {
    fake.node.images = twoImages();
    fake.node.lies = true;

    const removal = remove(await fake.connect());

    await expect(removal).rejects.toMatchObject({ code: "conflict", message: /^[^\n]* still lists it[^\n]*$/ });
  });

  test("that fails although the image went is done", async () => {
    fake.node.images = twoImages();
    fake.node.before.set("RemoveImage", () => {
      fake.node.images = fake.node.images.filter(({ id }) => id !== hexOf(web));
      throw new Error("metadata could not be written");
    });

    expect(await remove(await fake.connect())).toEqual({ kind: "removed", names: tags });
  });

  test("of an OCI artifact, which CRI-O removes by name only, is a failure and not a lie", async () => {
    fake.node.images = [{ id: hexOf(web), repoTags: tags, repoDigests: [], artifact: true }];

    await expect(remove(await fake.connect())).rejects.toMatchObject({ name: "RuntimeError" });
    expect(fake.node.images).toHaveLength(1);
  });

  test("of several images side by side shares the lists before and after", async () => {
    const ids = Array.from({ length: 12 }, (_, i) => digestOf(`config ${i}`));
    fake.node.images = ids.map((id, i) => ({ id: hexOf(id), repoTags: [`a:${i}`], repoDigests: [] }));
    const runtime = await fake.connect();

    const results = await Promise.all(ids.map((id, i) => remove(runtime, id, [`a:${i}`])));

    expect(results.every(({ kind }) => kind === "removed")).toBe(true);
    expect(removals()).toHaveLength(12);
    expect(fake.node.calls.filter((call) => call === "ListImages").length).toBeLessThan(12);
  });
});

describe("the stand-in server", () => {
  test("removes as CRI-O: by ID everything, by name that name, in use nothing", () => {
    const node = fakeCrio({ images: twoImages() });

    expect(() => removeAsCrio(node, "")).toThrow("no image specified");
    removeAsCrio(node, "quay.example/web:1");
    expect(node.images[0]?.repoTags).toEqual(["quay.example/web:latest"]);
    removeAsCrio(node, "quay.example/web:latest");
    removeAsCrio(node, "nobody:1");
    expect(node.images.map(({ id }) => id)).toEqual([hexOf(other)]);
    node.containers = [{ id: "c1", imageId: hexOf(other) }];
    expect(() => removeAsCrio(node, hexOf(other).slice(0, 12))).toThrow("in use by a container");
  });

  test("removes as containerd: the only image even for the empty text, and never minds a container", () => {
    const node = fakeCrio({ images: twoImages(), containers: [{ id: "c1", imageId: web }] });

    removeAsContainerd(node, "");
    expect(node.images).toHaveLength(2);
    removeAsContainerd(node, "quay.example/web:1");
    expect(node.images).toHaveLength(1);
    removeAsContainerd(node, "");
    expect(node.images).toEqual([]);
  });
});
