// Removals, collections and what is told of them, over a real socket to a daemon of our own.
import { describe, expect, test } from "vitest";
import { useFakeDaemon } from "./fake-connection.ts";
import { emptyNamespace } from "./fake-daemon.ts";
import { pull, sha256 } from "./fake-image.ts";

const fake = useFakeDaemon();

describe("changes", () => {
  test.each(["v1.6.20", "v2.1.4"])("%s: a name goes only while it points to what was planned", async (version) => {
    fake.node.version = version;
    const image = pull(fake.namespace, { names: ["a", "b"], layers: ["base"] });
    const from = await fake.connect();

    const moved = await from.removeName("k8s.io", "a", sha256("other"));
    const removed = await from.removeName("k8s.io", "a", image.target);
    const gone = await from.removeName("k8s.io", "a", image.target);

    expect([moved, removed, gone]).toEqual(["moved", "removed", "already-gone"]);
    expect(fake.namespace.images.map(({ name }) => name)).toEqual(["b"]);
  });

  test("a collection leaves no lease behind", async () => {
    const from = await fake.connect();

    await from.collect();

    expect(fake.namespace.leases).toEqual([]);
    expect(fake.node.calls).toEqual(["Create", "Delete"]);
  });

  test("a blob remains while any namespace sees it, a snapshot in its own namespace", async () => {
    const image = pull(fake.namespace, { names: [], layers: ["base"] });
    const other = emptyNamespace();
    pull(other, { names: ["x"], layers: ["base"] });
    fake.node.namespaces["moby"] = other;
    fake.namespace.blobs.clear();
    const from = await fake.connect();

    const remaining = await from.remaining("k8s.io", {
      blobs: [...image.layers, sha256("never")],
      snapshots: [`overlayfs/${image.chain[0]}`, "overlayfs/never"],
    });

    expect(remaining).toEqual({ blobs: image.layers, snapshots: [`overlayfs/${image.chain[0]}`] });
  });

  test("events are those of the observed namespaces that change names or uses", async () => {
    const seen = [];
    for await (const event of (await fake.connect()).events(AbortSignal.timeout(5_000))) seen.push(event);

    expect(seen).toEqual([
      { kind: "image", namespace: "k8s.io" },
      { kind: "container", namespace: "k8s.io" },
    ]);
  });

  test("filesystems are told once per device, and not when they cannot be seen", async () => {
    const usage = { path: "/fake/overlayfs", capacityBytes: 100, usedBytes: 50, inodes: 10, inodesUsed: 5 };
    const from = await fake.connect({ statfs: async (path) => ({ device: 1, usage: { ...usage, path } }) });

    expect(await from.filesystems()).toEqual([usage]);
  });

  test("the version decides whether the daemon compares before it deletes", async () => {
    fake.node.version = "1.6.20~ds1";

    const info = await (await fake.connect()).info();

    expect(info).toMatchObject({ version: "1.6.20~ds1", apiVersions: { containerd: "v1" } });
    expect(info.capabilities.compareAndDelete).toBe(false);
  });
});
