// Who uses images, as the containerd adapter sees it, over a real socket to a daemon of our own.
import { describe, expect, test } from "vitest";
import { addContainer, containerOf, observeOnly, useFakeDaemon } from "./fake-connection.ts";
import { pull, sha256 } from "./fake-image.ts";

const fake = useFakeDaemon();

describe("uses", () => {
  test("a container whose name has moved runs the image that its snapshot stands on", async () => {
    const old = pull(fake.namespace, { names: [], layers: ["base", "old"] });
    fake.namespace.images.push({ name: "kept", target: old.target });
    pull(fake.namespace, { names: ["app:1"], layers: ["base", "new"] });
    addContainer(fake.namespace, "c1", "app:1", old.chain.at(-1));

    expect(await containerOf(await fake.connect(), "c1")).toMatchObject({
      image: "app:1",
      imageId: old.target,
      otherImageIds: [],
    });
  });

  test("of images with the same layers the one with the container's name comes first", async () => {
    const one = pull(fake.namespace, { names: ["one"], layers: ["base"], labels: { n: "1" } });
    const two = pull(fake.namespace, { names: ["two"], layers: ["base"], labels: { n: "2" } });
    addContainer(fake.namespace, "c1", "two", two.chain.at(-1));

    expect(await containerOf(await fake.connect(), "c1")).toMatchObject({
      imageId: two.target,
      otherImageIds: [one.target],
    });
  });

  test("a snapshot with shifted user IDs in between is looked through", async () => {
    const image = pull(fake.namespace, { names: ["a"], layers: ["base"] });
    fake.namespace.snapshots.push({ name: "shifted", parent: image.chain[0] ?? "" });
    addContainer(fake.namespace, "c1", "", "shifted");

    expect(await containerOf(await fake.connect(), "c1")).toMatchObject({ imageId: image.target });
  });

  test("a container without a snapshot runs what its name points to", async () => {
    const image = pull(fake.namespace, { names: ["a"], layers: ["base"] });
    fake.namespace.containers.push({ id: "c1", image: "a" });

    expect(await containerOf(await fake.connect(), "c1")).toMatchObject({ imageId: image.target, state: "created" });
  });

  test("without CRI the image ID comes from the metadata that CRI left in the record", async () => {
    const value = Buffer.from(JSON.stringify({ Metadata: { ImageRef: sha256("config") } }));
    const labels = {
      "io.cri-containerd.kind": "container",
      "io.kubernetes.pod.name": "web",
      "io.kubernetes.pod.namespace": "shop",
    };
    const extensions = { "io.cri-containerd.container.metadata": { typeUrl: "x", value } };
    fake.namespace.containers.push({ id: "c1", image: "a", labels, extensions });

    expect(await containerOf(await fake.connect(), "c1")).toMatchObject({ imageId: sha256("config"), pod: "shop/web" });
  });

  test("an image volume is mounted into the sandbox whose lease holds its snapshot", async () => {
    const image = pull(fake.namespace, { names: ["data"], layers: ["data"] });
    fake.namespace.snapshots.push({ name: "/run/volume", parent: image.chain[0] ?? "", kind: "active" });
    fake.namespace.containers.push({ id: "s1", labels: { "io.cri-containerd.kind": "sandbox" } });
    fake.namespace.leases.push({ id: "s1", resources: [{ type: "snapshots/overlayfs", id: "/run/volume" }] });

    expect(await containerOf(await fake.connect(), "s1")).toMatchObject({
      kind: "sandbox",
      imageMounts: [image.target],
    });
  });

  test("a writable snapshot that nobody owns shows as a use of its image", async () => {
    const image = pull(fake.namespace, { names: ["data"], layers: ["data"] });
    fake.namespace.snapshots.push({ name: "stray", parent: image.chain[0] ?? "", kind: "view" });

    const from = await fake.connect();

    expect(await containerOf(from, "snapshot:overlayfs/stray")).toMatchObject({ imageId: image.target });
    expect((await observeOnly(from)).held.snapshots).toEqual([`overlayfs/${image.chain[0]}`, "overlayfs/stray"]);
  });

  test("a daemon that cannot stream containers is asked for a list", async () => {
    fake.node.containerStream = false;
    fake.namespace.containers.push({ id: "c1" });

    expect(await containerOf(await fake.connect(), "c1")).toBeDefined();
  });

  test("an expired lease holds nothing, a living one holds what it lists and refers to", async () => {
    const image = pull(fake.namespace, { names: [], layers: ["base"] });
    const resources = [{ type: "content", id: image.target }];
    fake.namespace.leases.push({ id: "old", labels: { "containerd.io/gc.expire": "2020-01-01T00:00:00Z" }, resources });
    const from = await fake.connect();
    const before = await observeOnly(from);
    fake.namespace.leases.push({ id: "new", resources });

    const after = await observeOnly(from);

    expect(before.held.blobs).toEqual([]);
    expect(new Set(after.held.blobs)).toEqual(new Set([image.manifest, image.config, ...image.layers]));
  });

  test("containers are read anew and resolved with what the last look knew", async () => {
    const image = pull(fake.namespace, { names: ["a"], layers: ["base"] });
    const from = await fake.connect();
    await from.observe();
    addContainer(fake.namespace, "c1", "a", image.chain[0]);

    const containers = await from.containers("k8s.io");

    expect(containers.map(({ id, imageId }) => [id, imageId])).toEqual([["c1", image.target]]);
  });
});
