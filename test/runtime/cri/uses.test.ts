// Who uses what, as CRI tells it: containers in their many spellings, image volumes, and the pause image of sandboxes.
import { describe, expect, test } from "vitest";
import { hexOf } from "../../../src/image/digest.ts";
import { digestOf } from "../../support/node-builder.ts";
import { containerOf, observeOnly, useFakeCri } from "./harness.ts";

const fake = useFakeCri();
const web = digestOf("config web");
const manifest = digestOf("manifest web");
const pause = digestOf("config pause");

function webImage() {
  return {
    id: hexOf(web),
    repoTags: ["quay.example/web:1", "docker.io/library/web:latest"],
    repoDigests: [`quay.example/web@${manifest}`],
  };
}

describe("a container's image", () => {
  test.each([
    ["its image ID", { imageId: hexOf(web) }],
    ["its image ref, an ID", { imageRef: web }],
    ["its image ref, a digest reference", { imageRef: `quay.example/web@${manifest}` }],
    ["the image of its spec, an ID", { image: hexOf(web) }],
    ["the image of its spec, a name", { image: "quay.example/web:1", userSpecifiedImage: "something-else" }],
    ["the image of its spec, a short name", { image: "web", userSpecifiedImage: "something-else" }],
    ["the image ref of its spec", { specImageRef: `sha256:${hexOf(web)}` }],
  ])("is known by %s", async (_, spelled) => {
    fake.node.images = [webImage()];
    fake.node.containers = [{ id: "c1", ...spelled }];
    const runtime = await fake.connect();
    await runtime.observe();

    const { imageId, otherImageIds } = await containerOf(runtime, "c1");

    const [known] = (await observeOnly(runtime)).images;
    expect([imageId, ...otherImageIds].filter((id) => known?.digests.some((digest) => digest === id))).not.toEqual([]);
  });

  test("counts under every digest and the name that the pod's author wrote", async () => {
    const moved = digestOf("another config");
    fake.node.images = [webImage(), { id: hexOf(moved), repoTags: ["quay.example/moved:1"], repoDigests: [] }];
    const container = { image: "quay.example/moved:1", userSpecifiedImage: "web:1", imageRef: web };
    fake.node.containers = [{ id: "c1", state: 2, ...container, labels: podLabels }];

    const { containers } = await observeOnly(await fake.connect());

    expect(containers).toEqual([
      {
        id: "c1",
        image: "web:1",
        imageId: web,
        otherImageIds: [moved],
        state: "exited",
        kind: "container",
        snapshotKey: "",
        imageMounts: [],
        pod: "shop/cart",
      },
    ]);
  });

  test.each([
    [0, "created"],
    [1, "running"],
    [2, "exited"],
    [3, "unknown"],
  ] as const)("is used in state %i, called %s", async (state, called) => {
    fake.node.containers = [{ id: "c1", imageId: hexOf(web), state }];

    expect(await containerOf(await fake.connect(), "c1")).toMatchObject({ imageId: web, state: called });
  });

  test("is remembered although the list does not have it any more", async () => {
    fake.node.containers = [{ id: "c1", imageId: hexOf(web) }];

    expect(await containerOf(await fake.connect(), "c1")).toMatchObject({ imageId: web });
  });
});

describe("image volumes", () => {
  test("are asked for once a container, and those of a container that went meanwhile are nobody's", async () => {
    fake.node.containers = [{ id: "c1", imageMounts: ["quay.example/model:1", hexOf(web)] }, { id: "gone" }];
    const runtime = await fake.connect();
    fake.node.before.set("ContainerStatus", () => {
      fake.node.containers = fake.node.containers.filter(({ id }) => id !== "gone");
    });

    await runtime.observe();
    const { imageMounts } = await containerOf(runtime, "c1");

    expect(imageMounts).toEqual(["quay.example/model:1", hexOf(web)]);
    expect(fake.node.calls.filter((call) => call === "ContainerStatus c1")).toHaveLength(1);
  });

  test.each([
    ["containerd", "1.7.24", "v1"],
    ["cri-o", "1.30.2", "v1"],
    ["other", "1", "v1alpha2"],
  ] as const)("are not asked for where they do not exist: %s %s %s", async (runtime, version, api) => {
    fake.become({ runtime, version, speaks: [api] });
    fake.node.containers = [{ id: "c1" }];

    await (await fake.connect()).observe();

    expect(fake.node.calls.filter((call) => call.startsWith("ContainerStatus"))).toEqual([]);
  });
});

describe("a sandbox", () => {
  const pauseImage = { id: hexOf(pause), repoTags: ["registry.example/pause:3"], repoDigests: [] };

  test("uses the pause image that the runtime names, asked once", async () => {
    fake.node.images = [pauseImage];
    fake.node.sandboxes = [{ id: "s1", pod: "shop/cart", info: { image: "registry.example/pause:3" } }];
    const runtime = await fake.connect();

    await runtime.observe();
    const sandbox = await containerOf(runtime, "s1");

    expect(sandbox).toMatchObject({
      kind: "sandbox",
      image: "registry.example/pause:3",
      imageId: pause,
      pod: "shop/cart",
    });
    expect(fake.node.calls.filter((call) => call.startsWith("PodSandboxStatus"))).toHaveLength(1);
  });

  test("without a container of its own, as on CRI-O, uses nothing", async () => {
    fake.node.images = [pauseImage];
    fake.node.sandboxes = [{ id: "s1", info: { runtimeSpec: {} } }];

    expect((await observeOnly(await fake.connect())).containers).toEqual([]);
  });

  test("of a runtime that tells only its settings uses the image that these name", async () => {
    fake.node.images = [pauseImage];
    fake.node.sandboxes = [{ id: "s1" }];
    fake.node.settings = { sandboxImage: "registry.example/pause:3" };

    expect(await containerOf(await fake.connect(), "s1")).toMatchObject({ imageId: pause });
  });

  test("of a runtime that tells nothing but pins an image is left to the pin", async () => {
    fake.node.images = [{ ...pauseImage, pinned: true }];
    fake.node.sandboxes = [{ id: "s1" }];

    expect((await observeOnly(await fake.connect())).containers).toEqual([]);
  });

  test("of a runtime that tells nothing at all names no image, so that every image stays", async () => {
    fake.node.images = [pauseImage];
    fake.node.sandboxes = [{ id: "s1" }];

    expect(await containerOf(await fake.connect(), "s1")).toMatchObject({ image: "", imageId: "", snapshotKey: "" });
  });
});

const podLabels = { "io.kubernetes.pod.name": "cart", "io.kubernetes.pod.namespace": "shop" };
