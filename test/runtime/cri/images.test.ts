// Images as CRI-O, containerd and cri-dockerd list them, in the words of the port.
import { describe, expect, test } from "vitest";
import { hexOf } from "../../../src/image/digest.ts";
import { digestOf } from "../../support/node-builder.ts";
import { observeOnly, useFakeCri } from "./harness.ts";

const fake = useFakeCri();
const web = digestOf("config web");
const manifest = digestOf("manifest web");

describe("an image", () => {
  test("of CRI-O has an ID without sha256:, tags, digest references, a size and pins", async () => {
    const tags = ["quay.example/web:1", "quay.example/web:latest"];
    const image = { id: hexOf(web), repoTags: tags, repoDigests: [`quay.example/web@${manifest}`], size: 7_000 };
    fake.node.images = [{ ...image, pinned: true }];

    const { names, images } = await observeOnly(await fake.connect());

    expect(images).toEqual([
      {
        target: web,
        id: web,
        digests: [web, manifest],
        pinned: true,
        blobs: [{ digest: web, size: 7_000 }],
        snapshots: [],
      },
    ]);
    expect(names).toEqual([...tags, `quay.example/web@${manifest}`].map((name) => ({ name, target: web, labels: {} })));
  });

  test("without any name is known by its ID, whether nothing or <none> is written", async () => {
    const other = digestOf("config other");
    fake.node.images = [
      { id: hexOf(web), repoTags: [], repoDigests: [] },
      { id: other, repoTags: ["<none>:<none>"], repoDigests: ["<none>@<none>"] },
    ];

    const { names } = await observeOnly(await fake.connect());

    expect(names.map(({ name, target }) => [name, target])).toEqual([
      [web, web],
      [other, other],
    ]);
  });

  test("that CRI-O lists by the digest of a name it had once is called by that", async () => {
    fake.node.images = [{ id: hexOf(web), repoTags: [], repoDigests: [`quay.example/web@${manifest}`] }];

    const { names } = await observeOnly(await fake.connect());

    expect(names.map(({ name }) => name)).toEqual([`quay.example/web@${manifest}`]);
  });

  test("that is listed for several runtime handlers is one image with the names of all", async () => {
    fake.node.images = [
      { id: web, repoTags: ["a:1"], repoDigests: [], size: 1 },
      { id: web, repoTags: ["a:1", "a:2"], repoDigests: [], size: 2, pinned: true },
    ];

    const { names, images } = await observeOnly(await fake.connect());

    expect(names.map(({ name }) => name)).toEqual(["a:1", "a:2"]);
    expect(images).toMatchObject([{ id: web, pinned: true, blobs: [{ size: 2 }] }]);
  });

  test("whose ID is no whole digest is left out: it could not be removed without guessing", async () => {
    fake.node.images = [
      { id: "0123456789ab", repoTags: ["short:1"], repoDigests: [] },
      { id: "", repoTags: ["empty:1"], repoDigests: [] },
    ];

    const { names, images } = await observeOnly(await fake.connect());

    expect([names, images]).toEqual([[], []]);
  });

  test("has labels, platform and build time where the runtime tells more than the list, asked once and by those who ask", async () => {
    const config = { Labels: { team: "blue", odd: 7 } };
    const imageSpec = { created: "2024-05-06T07:08:09Z", os: "linux", architecture: "arm64", config };
    fake.node.images = [{ id: hexOf(web), repoTags: ["a:1"], repoDigests: [], info: { imageSpec } }];
    const runtime = await fake.connect();

    await runtime.observe({ imageConfigs: false });
    expect(fake.node.calls).not.toContain(`ImageStatus ${hexOf(web)}`);
    const first = await observeOnly(runtime);
    await runtime.observe();

    expect(first.images[0]).toMatchObject({
      labels: { team: "blue" },
      platform: "linux/arm64",
      createdAt: Date.UTC(2024, 4, 6, 7, 8, 9),
    });
    expect(fake.node.calls.filter((call) => call.startsWith("ImageStatus"))).toEqual([`ImageStatus ${hexOf(web)}`]);
  });

  test("has no labels, rather than none, where its config cannot be told", async () => {
    fake.node.images = [
      { id: hexOf(web), repoTags: ["a:1"], repoDigests: [] },
      { id: digestOf("b"), repoTags: ["b:1"], repoDigests: [], info: { imageSpec: "broken" } },
    ];
    const runtime = await fake.connect();
    fake.node.before.set("ImageStatus", () => {
      fake.node.before.delete("ImageStatus");
      throw new Error("layer not known");
    });

    const { images } = await observeOnly(runtime);

    expect(images.map(({ labels }) => labels)).toEqual([undefined, undefined]);
  });
});

describe("the runtime", () => {
  test("says who it is and what plans must know of it", async () => {
    const runtime = await fake.connect();

    const info = await runtime.info();
    const state = await runtime.observe();

    expect(info).toMatchObject({ kind: "cri", version: "cri-o 1.33.1", apiVersions: { cri: "v1" } });
    expect(info.capabilities).toMatchObject({ untag: false, exactBytes: false, content: false, pinnedImages: true });
    expect(state.runtime).toEqual({ kind: "cri", version: "cri-o 1.33.1", untag: false, exactBytes: false });
  });

  test.each([
    ["containerd", "v1.6.20~ds1", false],
    ["containerd", "v1.6.22", true],
    ["containerd", "1.7.2", false],
    ["containerd", "v1.7.24", true],
    ["containerd", "v2.1.4", true],
    ["cri-o", "1.24.0", true],
    ["other", "", true],
  ])("%s %s tells pins: %s", async (runtime, version, tells) => {
    fake.become({ runtime, version });

    const { capabilities } = await (await fake.connect()).info();

    expect(capabilities.pinnedImages).toBe(tells);
  });

  test("that only knows v1alpha2 is spoken to in that version, removals included", async () => {
    fake.become({ speaks: ["v1alpha2"], runtime: "containerd", version: "v1.5.9" });
    fake.node.images = [{ id: web, repoTags: ["a:1"], repoDigests: [] }];
    fake.node.containers = [{ id: "c1", image: "a:1", imageRef: web }];
    const runtime = await fake.connect();

    const info = await runtime.info();
    const { names, containers } = await observeOnly(runtime);
    const result = await runtime.removeImage("cri", { id: web, target: web, names: ["a:1"], pinned: false });

    expect(info.apiVersions).toEqual({ cri: "v1alpha2" });
    expect(names.map(({ name }) => name)).toEqual(["a:1"]);
    expect(containers).toMatchObject([{ id: "c1", image: "a:1", imageId: web }]);
    expect(result).toEqual({ kind: "removed", names: ["a:1"] });
  });

  test("counts the space of images over all its filesystems, as old as the oldest count", async () => {
    const now = Date.now();
    fake.node.usage = [
      { mountpoint: "/images", bytes: 5_000, countedAt: now },
      { mountpoint: "/more", bytes: 700, countedAt: now - 9_000 },
    ];
    const usage = { path: "/images", capacityBytes: 10, usedBytes: 5, inodes: 4, inodesUsed: 2 };
    const runtime = await fake.connect({
      statfs: async (path) => (path === "/images" ? { device: 1, usage } : undefined),
    });

    expect(await runtime.imageUsage()).toEqual({ bytes: 5_700, countedAt: now - 9_000 });
    expect(await runtime.filesystems()).toEqual([usage]);
  });

  test("has no other namespace, and no name, content or collection of its own", async () => {
    const runtime = await fake.connect();

    await expect(runtime.containers("k8s.io")).rejects.toMatchObject({ code: "invalid-argument" });
    await expect(runtime.removeName("cri", "a:1", web)).rejects.toMatchObject({ code: "unsupported" });
    const name = { name: "a:1", target: web, labels: {} };
    await expect(runtime.createName("cri", name)).rejects.toMatchObject({ code: "unsupported" });
    const content = { blobs: [web], snapshots: [] };
    await expect(runtime.remaining("cri", content)).rejects.toMatchObject({ code: "unsupported" });
    await expect(runtime.collect()).resolves.toBeUndefined();
    expect(await eventsOf(runtime.events(AbortSignal.timeout(30)))).toEqual([]);
    expect(fake.node.calls).toEqual([]);
  });
});

async function eventsOf(events: AsyncIterable<unknown>): Promise<readonly unknown[]> {
  const seen: unknown[] = [];
  for await (const event of events) seen.push(event);
  return seen;
}
