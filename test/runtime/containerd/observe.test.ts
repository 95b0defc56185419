// The containerd adapter over a real socket, against a daemon of our own that holds what a test needs.
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Container, NamespaceState } from "../../../src/image/node-state.ts";
import { type ContainerdOptions, connectContainerd } from "../../../src/runtime/containerd/containerd-runtime.ts";
import type { ContainerRuntime } from "../../../src/runtime/runtime.ts";
import { createTempFolder, type TempFolder } from "../../support/temp.ts";
import {
  emptyNamespace,
  type FakeDaemon,
  type FakeNamespace,
  type FakeNode,
  fakeNode,
  serveFakeDaemon,
} from "./fake-daemon.ts";
import { pull, sha256 } from "./fake-image.ts";

let folder: TempFolder;
let daemon: FakeDaemon | undefined;
let runtime: ContainerRuntime | undefined;
let namespace: FakeNamespace;
let node: FakeNode;

beforeEach(() => {
  folder = createTempFolder();
  namespace = emptyNamespace();
  node = fakeNode({ "k8s.io": namespace });
});

afterEach(async () => {
  await runtime?.close();
  await daemon?.stop();
  runtime = undefined;
  daemon = undefined;
  folder.remove();
});

/** Serves the node as it is by now and connects to it. */
async function connect(options: Partial<ContainerdOptions> = {}): Promise<ContainerRuntime> {
  const endpoint = join(folder.path, "c.sock");
  daemon = await serveFakeDaemon(endpoint, node);
  runtime = connectContainerd({ endpoint, namespaces: ["k8s.io"], ...options });
  return runtime;
}

async function observeOnly(from: ContainerRuntime): Promise<NamespaceState> {
  const { namespaces } = await from.observe();
  const [only] = namespaces;
  if (!only) throw new Error("no namespace was observed");
  return only;
}

async function containerOf(from: ContainerRuntime, id: string): Promise<Container | undefined> {
  return (await observeOnly(from)).containers.find((container) => container.id === id);
}

describe("images", () => {
  test("an image has the digests of its index, manifest and config, and all that its labels keep", async () => {
    const image = pull(namespace, {
      names: ["a:1", "b:1"],
      layers: ["base", "top"],
      labels: { team: "x" },
      index: true,
    });
    const state = await observeOnly(await connect());

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
    pull(namespace, { names: ["a"], layers: ["base", "a"] });
    pull(namespace, { names: ["b"], layers: ["base", "b"] });

    const { images } = await observeOnly(await connect());

    expect(images[0]?.snapshots[0]).toBe(images[1]?.snapshots[0]);
  });

  test("a damaged config still belongs to its image, which then goes by its target", async () => {
    const image = pull(namespace, { names: ["a"], layers: ["base"] });
    const blob = namespace.blobs.get(image.config);
    if (blob) namespace.blobs.set(image.config, { ...blob, bytes: Buffer.from("damaged") });

    const { images } = await observeOnly(await connect());

    expect(images[0]?.id).toBe(image.target);
    expect(images[0]?.digests).toContain(image.config);
  });

  test("a blob above 8 MiB is not read", async () => {
    const image = pull(namespace, { names: ["a"], layers: [] });
    const blob = namespace.blobs.get(image.config);
    if (blob) namespace.blobs.set(image.config, { ...blob, size: 9 << 20 });

    await observeOnly(await connect());

    expect(node.calls).not.toContain("Read");
  });

  test("a pinned record pins the image", async () => {
    pull(namespace, { names: ["pause"], layers: ["p"], recordLabels: { "io.cri-containerd.pinned": "pinned" } });

    expect((await observeOnly(await connect())).images[0]?.pinned).toBe(true);
  });

  test("a second look reads no content and asks for no sizes", async () => {
    pull(namespace, { names: ["a"], layers: ["base", "a"], index: true });
    const from = await connect();
    const first = await observeOnly(from);
    node.calls.length = 0;

    const second = await observeOnly(from);

    expect(second).toEqual(first);
    expect(node.calls).not.toContain("Usage");
    expect(node.calls).not.toContain("Read");
  });

  test("a list of images larger than 4 MiB arrives whole", async () => {
    const { target } = pull(namespace, { names: [], layers: ["base"] });
    const labels = { filler: "x".repeat(1_000) };
    for (let n = 0; n < 6_000; n += 1) namespace.images.push({ name: `r.example/app:${n}`, target, labels });

    expect((await observeOnly(await connect())).names).toHaveLength(6_000);
  });

  test("blobs of namespaces that are not observed are foreign", async () => {
    const other = emptyNamespace();
    const { manifest, config } = pull(other, { names: ["x"], layers: [] });
    node.namespaces["moby"] = other;

    const state = await (await connect()).observe();

    expect(new Set(state.foreignBlobs)).toEqual(new Set([manifest, config]));
  });

  test("a namespace that does not exist is refused with those that do", async () => {
    const from = await connect({ namespaces: ["k8s"] });

    await expect(from.observe()).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining('no containerd namespace "k8s": the daemon has k8s.io'),
    });
  });
});

describe("uses", () => {
  test("a container whose name has moved runs the image that its snapshot stands on", async () => {
    const old = pull(namespace, { names: [], layers: ["base", "old"] });
    namespace.images.push({ name: "kept", target: old.target });
    pull(namespace, { names: ["app:1"], layers: ["base", "new"] });
    addContainer("c1", "app:1", old.chain.at(-1));

    expect(await containerOf(await connect(), "c1")).toMatchObject({
      image: "app:1",
      imageId: old.target,
      otherImageIds: [],
    });
  });

  test("of images with the same layers the one with the container's name comes first", async () => {
    const one = pull(namespace, { names: ["one"], layers: ["base"], labels: { n: "1" } });
    const two = pull(namespace, { names: ["two"], layers: ["base"], labels: { n: "2" } });
    addContainer("c1", "two", two.chain.at(-1));

    expect(await containerOf(await connect(), "c1")).toMatchObject({
      imageId: two.target,
      otherImageIds: [one.target],
    });
  });

  test("a snapshot with shifted user IDs in between is looked through", async () => {
    const image = pull(namespace, { names: ["a"], layers: ["base"] });
    namespace.snapshots.push({ name: "shifted", parent: image.chain[0] ?? "" });
    addContainer("c1", "", "shifted");

    expect(await containerOf(await connect(), "c1")).toMatchObject({ imageId: image.target });
  });

  test("a container without a snapshot runs what its name points to", async () => {
    const image = pull(namespace, { names: ["a"], layers: ["base"] });
    namespace.containers.push({ id: "c1", image: "a" });

    expect(await containerOf(await connect(), "c1")).toMatchObject({ imageId: image.target, state: "created" });
  });

  test("without CRI the image ID comes from the metadata that CRI left in the record", async () => {
    const value = Buffer.from(JSON.stringify({ Metadata: { ImageRef: sha256("config") } }));
    const labels = {
      "io.cri-containerd.kind": "container",
      "io.kubernetes.pod.name": "web",
      "io.kubernetes.pod.namespace": "shop",
    };
    const extensions = { "io.cri-containerd.container.metadata": { typeUrl: "x", value } };
    namespace.containers.push({ id: "c1", image: "a", labels, extensions });

    expect(await containerOf(await connect(), "c1")).toMatchObject({ imageId: sha256("config"), pod: "shop/web" });
  });

  test("an image volume is mounted into the sandbox whose lease holds its snapshot", async () => {
    const image = pull(namespace, { names: ["data"], layers: ["data"] });
    namespace.snapshots.push({ name: "/run/volume", parent: image.chain[0] ?? "", kind: "active" });
    namespace.containers.push({ id: "s1", labels: { "io.cri-containerd.kind": "sandbox" } });
    namespace.leases.push({ id: "s1", resources: [{ type: "snapshots/overlayfs", id: "/run/volume" }] });

    expect(await containerOf(await connect(), "s1")).toMatchObject({ kind: "sandbox", imageMounts: [image.target] });
  });

  test("a writable snapshot that nobody owns shows as a use of its image", async () => {
    const image = pull(namespace, { names: ["data"], layers: ["data"] });
    namespace.snapshots.push({ name: "stray", parent: image.chain[0] ?? "", kind: "view" });

    const from = await connect();

    expect(await containerOf(from, "snapshot:overlayfs/stray")).toMatchObject({ imageId: image.target });
    expect((await observeOnly(from)).held.snapshots).toEqual([`overlayfs/${image.chain[0]}`, "overlayfs/stray"]);
  });

  test("a daemon that cannot stream containers is asked for a list", async () => {
    node.containerStream = false;
    namespace.containers.push({ id: "c1" });

    expect(await containerOf(await connect(), "c1")).toBeDefined();
  });

  test("an expired lease holds nothing, a living one holds what it lists and refers to", async () => {
    const image = pull(namespace, { names: [], layers: ["base"] });
    const resources = [{ type: "content", id: image.target }];
    namespace.leases.push({ id: "old", labels: { "containerd.io/gc.expire": "2020-01-01T00:00:00Z" }, resources });
    const from = await connect();
    const before = await observeOnly(from);
    namespace.leases.push({ id: "new", resources });

    const after = await observeOnly(from);

    expect(before.held.blobs).toEqual([]);
    expect(new Set(after.held.blobs)).toEqual(new Set([image.manifest, image.config, ...image.layers]));
  });

  test("containers are read anew and resolved with what the last look knew", async () => {
    const image = pull(namespace, { names: ["a"], layers: ["base"] });
    const from = await connect();
    await from.observe();
    addContainer("c1", "a", image.chain[0]);

    const containers = await from.containers("k8s.io");

    expect(containers.map(({ id, imageId }) => [id, imageId])).toEqual([["c1", image.target]]);
  });
});

describe("CRI", () => {
  test("its image ID and the spelling of the pod win over the record, and its pinned images are pinned", async () => {
    const image = pull(namespace, { names: ["a:1"], layers: ["base"] });
    namespace.containers.push({ id: "c1", image: "a:1" });
    const spelled = { image: image.config, userSpecifiedImage: "a" };
    node.cri = {
      runtime: {
        version: () => ({ runtimeApiVersion: "v1" }),
        listPodSandbox: () => ({ items: [{ id: "s1", metadata: { name: "web", namespace: "shop" } }] }),
        listContainers: () => ({
          containers: [{ id: "c1", podSandboxId: "s1", image: spelled, imageRef: image.config, state: 2 }],
        }),
        containerStatus: () => ({ status: { mounts: [{ image: { image: "volume:1" } }] } }),
      },
      images: { listImages: () => ({ images: [{ id: image.config, pinned: true }] }) },
    };

    const state = await observeOnly(await connect());

    expect(state.images[0]?.pinned).toBe(true);
    expect(state.containers).toEqual([
      {
        id: "c1",
        image: "a",
        imageId: image.config,
        otherImageIds: [],
        state: "exited",
        kind: "container",
        snapshotKey: "",
        imageMounts: ["volume:1"],
        pod: "shop/web",
      },
      expect.objectContaining({ id: "s1", kind: "sandbox", pod: "shop/web", state: "running" }),
    ]);
  });

  test("once it has answered, its failure fails the look", async () => {
    let broken = false;
    node.cri = {
      runtime: {
        version: () => ({ runtimeApiVersion: "v1" }),
        listPodSandbox: () => ({ items: [] }),
        listContainers() {
          if (broken) throw new ConnectError("server is not initialized yet", Code.Unknown);
          return { containers: [] };
        },
      },
      images: { listImages: () => ({ images: [] }) },
    };
    const from = await connect();
    await from.observe();
    broken = true;

    await expect(from.observe()).rejects.toMatchObject({ operation: "cri list containers" });
    await expect(from.containers("k8s.io")).rejects.toMatchObject({ operation: "cri list containers" });
  });
});

describe("changes", () => {
  test.each(["v1.6.20", "v2.1.4"])("%s: a name goes only while it points to what was planned", async (version) => {
    node.version = version;
    const image = pull(namespace, { names: ["a", "b"], layers: ["base"] });
    const from = await connect();

    const moved = await from.removeName("k8s.io", "a", sha256("other"));
    const removed = await from.removeName("k8s.io", "a", image.target);
    const gone = await from.removeName("k8s.io", "a", image.target);

    expect([moved, removed, gone]).toEqual(["moved", "removed", "already-gone"]);
    expect(namespace.images.map(({ name }) => name)).toEqual(["b"]);
  });

  test("a collection leaves no lease behind", async () => {
    const from = await connect();

    await from.collect();

    expect(namespace.leases).toEqual([]);
    expect(node.calls).toEqual(["Create", "Delete"]);
  });

  test("a blob remains while any namespace sees it, a snapshot in its own namespace", async () => {
    const image = pull(namespace, { names: [], layers: ["base"] });
    const other = emptyNamespace();
    pull(other, { names: ["x"], layers: ["base"] });
    node.namespaces["moby"] = other;
    namespace.blobs.clear();
    const from = await connect();

    const remaining = await from.remaining("k8s.io", {
      blobs: [...image.layers, sha256("never")],
      snapshots: [`overlayfs/${image.chain[0]}`, "overlayfs/never"],
    });

    expect(remaining).toEqual({ blobs: image.layers, snapshots: [`overlayfs/${image.chain[0]}`] });
  });

  test("events are those of the observed namespaces that change names or uses", async () => {
    const seen = [];
    for await (const event of (await connect()).events(AbortSignal.timeout(5_000))) seen.push(event);

    expect(seen).toEqual([
      { kind: "image", namespace: "k8s.io" },
      { kind: "container", namespace: "k8s.io" },
    ]);
  });

  test("filesystems are told once per device, and not when they cannot be seen", async () => {
    const usage = { path: "/fake/overlayfs", capacityBytes: 100, usedBytes: 50, inodes: 10, inodesUsed: 5 };
    const from = await connect({ statfs: async (path) => ({ device: 1, usage: { ...usage, path } }) });

    expect(await from.filesystems()).toEqual([usage]);
  });

  test("the version decides whether the daemon compares before it deletes", async () => {
    node.version = "1.6.20~ds1";

    const info = await (await connect()).info();

    expect(info).toMatchObject({ version: "1.6.20~ds1", apiVersions: { containerd: "v1" } });
    expect(info.capabilities.compareAndDelete).toBe(false);
  });
});

/** A container on a writable snapshot over `parent`. */
function addContainer(id: string, image: string, parent: string | undefined): void {
  namespace.snapshots.push({ name: id, kind: "active", ...(parent ? { parent } : {}) });
  namespace.containers.push({ id, image, snapshotKey: id });
}
