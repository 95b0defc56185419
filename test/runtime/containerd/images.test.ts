// Images as the containerd adapter sees them, over a real socket to a daemon of our own.
import { describe, expect, test } from "vitest";
import { observeOnly, useFakeDaemon } from "./fake-connection.ts";
import { emptyNamespace } from "./fake-daemon.ts";
import { pull } from "./fake-image.ts";

const fake = useFakeDaemon();

describe("images", () => {
  test("an image has the digests of its index, manifest and config, and all that its labels keep", async () => {
    const image = pull(fake.namespace, {
      names: ["a:1", "b:1"],
      layers: ["base", "top"],
      labels: { team: "x" },
      index: true,
    });
    const state = await observeOnly(await fake.connect());

    expect(state.names.map(({ name, target }) => [name, target])).toEqual([
      ["a:1", image.target],
      ["b:1", image.target],
    ]);
    expect(state.images).toHaveLength(1);
    expect(state.images[0]).toMatchObject({
      target: image.target,
      id: image.config,
      labels: { team: "x" },
      pinned: false,
    });
    expect(state.images[0]?.digests).toEqual([image.target, image.manifest, image.config]);
    expect(new Set(state.images[0]?.blobs.map((blob) => blob.digest))).toEqual(
      new Set([image.target, image.manifest, image.config, ...image.layers]),
    );
    expect(state.images[0]?.snapshots).toEqual([
      { key: `overlayfs/${image.chain[0]}`, size: 1000 },
      { key: `overlayfs/${image.chain[1]}`, size: 1001, parent: `overlayfs/${image.chain[0]}` },
    ]);
  });

  test("images share the objects of the layers that they share", async () => {
    pull(fake.namespace, { names: ["a"], layers: ["base", "a"] });
    pull(fake.namespace, { names: ["b"], layers: ["base", "b"] });

    const { images } = await observeOnly(await fake.connect());

    expect(images[0]?.snapshots[0]).toBe(images[1]?.snapshots[0]);
  });

  test("a damaged config still belongs to its image, which then goes by its target", async () => {
    const image = pull(fake.namespace, { names: ["a"], layers: ["base"] });
    const blob = fake.namespace.blobs.get(image.config);
    if (blob) fake.namespace.blobs.set(image.config, { ...blob, bytes: Buffer.from("damaged") });

    const { images } = await observeOnly(await fake.connect());

    expect(images[0]?.id).toBe(image.target);
    expect(images[0]?.digests).toContain(image.config);
  });

  test("a blob above 8 MiB is not read", async () => {
    const image = pull(fake.namespace, { names: ["a"], layers: [] });
    const blob = fake.namespace.blobs.get(image.config);
    if (blob) fake.namespace.blobs.set(image.config, { ...blob, size: 9 << 20 });

    await observeOnly(await fake.connect());

    expect(fake.node.calls).not.toContain("Read");
  });

  test("a pinned record pins the image", async () => {
    pull(fake.namespace, { names: ["pause"], layers: ["p"], recordLabels: { "io.cri-containerd.pinned": "pinned" } });

    expect((await observeOnly(await fake.connect())).images[0]?.pinned).toBe(true);
  });

  test("a second look reads no content and asks for no sizes", async () => {
    pull(fake.namespace, { names: ["a"], layers: ["base", "a"], index: true });
    const from = await fake.connect();
    const first = await observeOnly(from);
    fake.node.calls.length = 0;

    const second = await observeOnly(from);

    expect(second).toEqual(first);
    expect(fake.node.calls).not.toContain("Usage");
    expect(fake.node.calls).not.toContain("Read");
  });

  test("a list of images larger than 4 MiB arrives whole", async () => {
    const { target } = pull(fake.namespace, { names: [], layers: ["base"] });
    const labels = { filler: "x".repeat(1_000) };
    for (let n = 0; n < 6_000; n += 1) fake.namespace.images.push({ name: `r.example/app:${n}`, target, labels });

    expect((await observeOnly(await fake.connect())).names).toHaveLength(6_000);
  });

  test("blobs of namespaces that are not observed are foreign", async () => {
    const other = emptyNamespace();
    const { manifest, config } = pull(other, { names: ["x"], layers: [] });
    fake.node.namespaces["moby"] = other;

    const state = await (await fake.connect()).observe();

    expect(new Set(state.foreignBlobs)).toEqual(new Set([manifest, config]));
  });

  test("a namespace that does not exist is refused with those that do", async () => {
    const from = await fake.connect({ namespaces: ["k8s"] });

    await expect(from.observe()).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining('no containerd namespace "k8s": the daemon has k8s.io'),
    });
  });
});
