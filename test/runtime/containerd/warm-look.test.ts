// A look that builds on the one before sees what a first look sees, whatever changed in between.
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectContainerd } from "../../../src/runtime/containerd/containerd-runtime.ts";
import type { ContainerRuntime, ObserveOptions, RuntimeState } from "../../../src/runtime/runtime.ts";
import type { GrpcServer } from "../../support/grpc-server.ts";
import { createTempFolder, type TempFolder } from "../../support/temp.ts";
import { addContainer, observeOnly, useFakeDaemon } from "./fake-connection.ts";
import { emptyNamespace, type FakeBlob, type FakeNamespace, fakeNode, serveFakeDaemon } from "./fake-daemon.ts";
import { pull } from "./fake-image.ts";

type Change = (namespace: FakeNamespace, n: number) => void;

/** Everything that can happen to a namespace between two looks. `n` says to which of its things. */
const changes: Readonly<Record<string, Change>> = {
  "a pull": (namespace, n) =>
    void pull(namespace, { names: [`new-${n}:1`], layers: ["base", `l${n % 3}`], index: n % 2 === 0 }),
  "a name goes": (namespace, n) => namespace.images.splice(n % (namespace.images.length || 1), 1),
  "a name moves": ({ images }, n) => replace(images, n, (name) => ({ ...name, target: at(images, n + 1).target })),
  "a second name": ({ images }, n) => {
    if (images.length > 0) images.push({ name: `z-${n}-${images.length}`, target: at(images, n).target });
  },
  "labels of a name": ({ images }, n) =>
    replace(images, n, (name) => ({ ...name, labels: { "io.cri-containerd.pinned": n % 2 === 0 ? "pinned" : "no" } })),
  "a name refers to a snapshot": ({ images, snapshots }, n) =>
    replace(images, n, (name) => ({
      ...name,
      labels: { "containerd.io/gc.ref.snapshot.overlayfs": snapshots[n % (snapshots.length || 1)]?.name ?? "none" },
    })),
  "a blob goes": ({ blobs }, n) => {
    const digest = [...blobs.keys()][n % (blobs.size || 1)] ?? "";
    const blob = blobs.get(digest);
    if (blob) gone.set(digest, blob);
    blobs.delete(digest);
  },
  "a blob comes back": ({ blobs }) => {
    for (const [digest, blob] of gone) blobs.set(digest, blob);
    gone.clear();
  },
  "a blob loses its labels": ({ blobs }, n) => relabel(blobs, n, () => ({})),
  "a blob becomes a root": ({ blobs }, n) =>
    relabel(blobs, n, (labels) => ({ ...labels, "containerd.io/gc.root": "" })),
  "the labels of a blob come in another order": ({ blobs }, n) =>
    relabel(blobs, n, (labels) => Object.fromEntries(Object.entries(labels).reverse())),
  "damaged content is whole again": ({ blobs }) => {
    for (const [digest, blob] of blobs) {
      const whole = damaged.get(digest);
      if (whole !== undefined) blobs.set(digest, { ...blob, bytes: whole });
    }
  },
  "a snapshot goes": (namespace, n) => {
    namespace.snapshots = namespace.snapshots.filter((_, i) => i !== n % namespace.snapshots.length);
  },
  "a container comes": (namespace, n) => {
    const parent = namespace.snapshots[n % (namespace.snapshots.length || 1)]?.name;
    addContainer(namespace, `c-${n}-${namespace.containers.length}`, namespace.images[0]?.name ?? "", parent);
  },
  "a container goes": (namespace) => namespace.containers.splice(0, 1),
  "a lease": ({ leases, blobs }, n) =>
    leases.push({ id: `l-${leases.length}`, resources: [{ type: "content", id: [...blobs.keys()][n] ?? "none" }] }),
  nothing: () => undefined,
};

const gone = new Map<string, FakeBlob>();
/** The true bytes of blobs that are damaged at the beginning. */
const damaged = new Map<string, Uint8Array>();

const oneChange = fc.record({ what: fc.constantFrom(...Object.keys(changes)), n: fc.nat({ max: 30 }) });

describe("a look that builds on the one before", () => {
  let folder: TempFolder;
  let daemon: GrpcServer;
  const node = fakeNode({});
  const endpoint = () => join(folder.path, "c.sock");
  const open = (): ContainerRuntime => connectContainerd({ endpoint: endpoint(), namespaces: ["k8s.io"] });

  beforeAll(async () => {
    folder = createTempFolder();
    daemon = await serveFakeDaemon(endpoint(), node);
  });

  afterAll(async () => {
    await daemon.stop();
    folder.remove();
  });

  const freshLook = async (options: ObserveOptions) => {
    const runtime = open();
    try {
      return await runtime.observe(options);
    } finally {
      await runtime.close();
    }
  };

  test("sees the same as a first look", async () => {
    const round = fc.record({ changed: fc.array(oneChange, { maxLength: 3 }), imageConfigs: fc.boolean() });
    const rounds = fc.array(round, { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(rounds, async (drawn) => {
        gone.clear();
        const namespace = startingPoint();
        node.namespaces["k8s.io"] = namespace;
        const warm = open();
        try {
          await warm.observe();
          for (const { changed, imageConfigs } of drawn) {
            for (const { what, n } of changed) changes[what]?.(namespace, n);
            const [again, first] = [await warm.observe({ imageConfigs }), await freshLook({ imageConfigs })];
            const asked = imageConfigs ? (state: RuntimeState) => state : withoutConfigs;
            expect(asked(again)).toEqual(asked(first));
          }
        } finally {
          await warm.close();
        }
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});

/** What had to be read, or was read before, is told although nobody asks. */
function withoutConfigs(state: RuntimeState): RuntimeState {
  const namespaces = state.namespaces.map((namespace) => ({
    ...namespace,
    images: namespace.images.map(({ labels: _labels, platform: _platform, createdAt: _createdAt, ...image }) => image),
  }));
  return { ...state, namespaces };
}

describe("what did not change", () => {
  const fake = useFakeDaemon();

  test("is read again as long as it could not be read", async () => {
    const { target, config } = pull(fake.namespace, { names: ["a"], layers: ["base"] });
    const blob = fake.namespace.blobs.get(config);
    if (!blob) throw new Error("no config");
    fake.namespace.blobs.set(config, { ...blob, size: blob.bytes.length, bytes: Buffer.from("damaged") });
    const runtime = await fake.connect();
    const damagedId = (await observeOnly(runtime)).images[0]?.id;
    fake.namespace.blobs.set(config, blob);

    const wholeId = (await observeOnly(runtime)).images[0]?.id;

    expect([damagedId, wholeId]).toEqual([target, config]);
  });

  test("is the same objects again, so that what was made of them still stands", async () => {
    const { chain } = pull(fake.namespace, { names: ["a", "b"], layers: ["base"] });
    pull(fake.namespace, { names: ["c"], layers: ["base", "c"], index: true });
    const runtime = await fake.connect();
    const first = await observeOnly(runtime);
    addContainer(fake.namespace, "new", "a", chain[0]);

    const second = await observeOnly(runtime);

    expect(second.containers).toHaveLength(1);
    expect(second.names).toBe(first.names);
    expect(second.images).toBe(first.images);
  });

  test("is the same objects for the images beside one that changed", async () => {
    const { target } = pull(fake.namespace, { names: ["a"], layers: ["base"] });
    const other = pull(fake.namespace, { names: ["b"], layers: ["base"], index: true });
    const runtime = await fake.connect();
    const first = await observeOnly(runtime);
    fake.namespace.images.push({ name: "a2", target });

    const second = await observeOnly(runtime);

    const imageIn = (state: typeof first) => state.images.find((image) => image.target === other.target);
    expect(imageIn(second)).toBe(imageIn(first));
    expect(second.names.map(({ name }) => name)).toEqual(["a", "b", "a2"]);
  });
});

/** Some images; the config of one is damaged. */
function startingPoint(): FakeNamespace {
  const namespace = emptyNamespace();
  pull(namespace, { names: ["a:1", "a:2"], layers: ["base", "a"], index: true });
  pull(namespace, { names: ["b:1"], layers: ["base", "b"] });
  const { config } = pull(namespace, { names: ["c:1"], layers: ["c"] });
  const blob = namespace.blobs.get(config);
  if (blob) {
    damaged.set(config, blob.bytes);
    namespace.blobs.set(config, { ...blob, size: blob.bytes.length, bytes: Buffer.from("damaged") });
  }
  return namespace;
}

function at<Entry>(list: readonly Entry[], n: number): Entry {
  return list[n % list.length] as Entry;
}

function replace<Entry>(list: Entry[], n: number, change: (entry: Entry) => Entry): void {
  if (list.length > 0) list[n % list.length] = change(at(list, n));
}

function relabel(
  blobs: FakeNamespace["blobs"],
  n: number,
  change: (labels: Record<string, string>) => Record<string, string>,
): void {
  const digest = [...blobs.keys()][n % (blobs.size || 1)] ?? "";
  const blob = blobs.get(digest);
  if (blob) blobs.set(digest, { ...blob, labels: change(blob.labels) });
}
