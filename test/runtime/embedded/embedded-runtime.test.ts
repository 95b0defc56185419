// The embedded runtime's own behaviour, beyond what the contract table asks of every runtime.
import { describe, expect, it } from "vitest";
import { createEmbeddedRuntime } from "../../../src/runtime/embedded/embedded-runtime.ts";
import { RuntimeError } from "../../../src/runtime/runtime-error.ts";
import { containerOf, digestOf, imageOf, nameOf, namespaceOf, nodeOf } from "../../support/node-builder.ts";

const base = imageOf("base", { layers: ["os"] });
const app = imageOf("app", { layers: ["os", "app"] });
const everything = (image: typeof app) => ({
  blobs: image.blobs.map((blob) => blob.digest),
  snapshots: image.snapshots.map((snapshot) => snapshot.key),
});

function runtimeWithTwoImages() {
  const names = [nameOf("base:1", base.target), nameOf("app:1", app.target)];
  return createEmbeddedRuntime(nodeOf({ namespaces: [namespaceOf("default", { names, images: [base, app] })] }));
}

describe("the embedded runtime", () => {
  it("keeps the content of a removed name until it is collected", async () => {
    const runtime = runtimeWithTwoImages();

    await runtime.removeName("default", "app:1", app.target);
    const before = await runtime.remaining("default", everything(app));
    await runtime.collect();
    const after = await runtime.remaining("default", everything(app));

    expect(before).toEqual(everything(app));
    expect(after).toEqual({ blobs: [digestOf("layer os")], snapshots: [base.snapshots[0]?.key] });
  });

  it("makes an image of each target that no image describes", async () => {
    const target = digestOf("bare");
    const runtime = createEmbeddedRuntime(
      nodeOf({ namespaces: [namespaceOf("default", { names: [nameOf("x:1", target)] })] }),
    );

    const state = await runtime.observe();

    expect(state.namespaces[0]?.images).toEqual([
      { target, id: target, digests: [target], pinned: false, blobs: [], snapshots: [] },
    ]);
  });

  it.each([
    ["its ID", { imageId: app.id }],
    ["bare hexadecimal digits", { imageId: app.id.slice("sha256:".length) }],
    ["a name with a digest", { imageId: `repo/app@${app.target}` }],
    ["its name only", { image: "app:1" }],
    ["another possible ID", { otherImageIds: [app.target] }],
    ["a mount", { imageMounts: [app.target] }],
  ])(
    "keeps the layer snapshots of a container's image told by %s, and frees them with the container",
    async (_, use) => {
      const runtime = runtimeWithTwoImages();
      runtime.addContainer("default", containerOf("c1", use));
      await runtime.removeName("default", "app:1", app.target);

      await runtime.collect();
      const whileUsed = await runtime.remaining("default", everything(app));
      runtime.removeContainer("default", "c1");
      await runtime.collect();
      const afterwards = await runtime.remaining("default", everything(app));

      expect(whileUsed.snapshots).toEqual(everything(app).snapshots);
      expect(afterwards.snapshots).toEqual(everything(base).snapshots);
    },
  );

  it("keeps what is held, with the parents of held snapshots, and what other namespaces hold", async () => {
    const layer = digestOf("layer app");
    const top = app.snapshots[1]?.key ?? "";
    const held = { blobs: [app.id], snapshots: [top] };
    const runtime = createEmbeddedRuntime(
      nodeOf({
        namespaces: [namespaceOf("default", { names: [nameOf("app:1", app.target)], images: [app], held })],
        foreignBlobs: [layer],
      }),
    );

    await runtime.removeName("default", "app:1", app.target);
    await runtime.collect();
    const left = await runtime.remaining("default", everything(app));

    expect(left).toEqual({ blobs: [app.id, layer], snapshots: everything(app).snapshots });
  });

  it("keeps an image that was given without a name until it is removed by its ID", async () => {
    const runtime = createEmbeddedRuntime(nodeOf({ namespaces: [namespaceOf("default", { images: [app] })] }));

    await runtime.collect();
    const before = runtime.snapshot().namespaces[0]?.images;
    const result = await runtime.removeName("default", app.id, app.target);
    await runtime.collect();

    expect(before).toEqual([app]);
    expect(result).toBe("removed");
    expect(runtime.snapshot().namespaces[0]?.images).toEqual([]);
  });

  it("shows an image as pinned when a name carries the runtime's pinned label", async () => {
    const runtime = createEmbeddedRuntime(nodeOf());

    runtime.addImage("k8s.io", app, [{ name: "pause:3", labels: { "io.cri-containerd.pinned": "pinned" } }]);

    expect((await runtime.observe()).namespaces[0]?.images[0]?.pinned).toBe(true);
  });

  it("counts each byte once in the used bytes of its filesystem", async () => {
    const runtime = runtimeWithTwoImages();
    runtime.addImage("other", app, ["app:1"]);

    const [filesystem] = await runtime.filesystems();

    // Blobs are one pool: 2 x (100 + 200) and two layers; snapshots belong to a namespace: base 1 and app 2 share one in default, 2 in other.
    expect(filesystem?.usedBytes).toBe(2 * 300 + 2 * 1000 + 4 * 2000);
    expect(filesystem?.inodesUsed).toBe(6 + 4);
  });

  it("keeps the time of a name's creation when the name moves", () => {
    let now = 1000;
    const runtime = createEmbeddedRuntime(nodeOf(), { now: () => now });

    runtime.addImage("default", base, ["x:1"]);
    now = 2000;
    runtime.addImage("default", app, ["x:1"]);

    expect(runtime.snapshot().namespaces[0]?.names).toEqual([
      { name: "x:1", target: app.target, labels: {}, createdAt: 1000, updatedAt: 2000 },
    ]);
  });

  it("refuses to tag an image that is gone", () => {
    const runtime = runtimeWithTwoImages();

    const tag = () => runtime.tag("default", "new:1", digestOf("nothing"));

    expect(tag).toThrow(/no image sha256:/);
  });

  it("names the namespaces that exist when another one is asked for", async () => {
    const runtime = runtimeWithTwoImages();

    const call = runtime.containers("k8s.io");

    await expect(call).rejects.toThrow('containers: no namespace "k8s.io": the runtime has default');
  });
});

describe("faults of the embedded runtime", () => {
  it("fails the next call of an operation once", async () => {
    const runtime = runtimeWithTwoImages();
    const fault = new RuntimeError("unavailable", "observe", "gone");
    runtime.failNext("observe", fault);

    const first = runtime.observe();

    await expect(first).rejects.toBe(fault);
    await expect(runtime.observe()).resolves.toBeDefined();
    expect(runtime.callCount("observe")).toBe(2);
  });

  it("lets somebody else be faster than a removal", async () => {
    const runtime = runtimeWithTwoImages();
    runtime.beforeNext("removeName", () => runtime.tag("default", "app:1", base.target));

    const result = await runtime.removeName("default", "app:1", app.target);

    expect(result).toBe("moved");
  });

  it("ends a hanging call at its deadline, by its signal, or when it is released", async () => {
    const runtime = runtimeWithTwoImages();
    const release = runtime.hang("collect");
    const stop = new AbortController();

    const settled = Promise.allSettled([
      runtime.collect({ timeoutMs: 5 }).finally(release),
      runtime.collect({ signal: stop.signal }),
      runtime.collect(),
    ]);
    stop.abort();
    const outcomes = await settled;

    expect(outcomes).toMatchObject([
      { status: "rejected", reason: { name: "RuntimeError", code: "timeout" } },
      { status: "rejected", reason: { name: "RuntimeError" } },
      { status: "fulfilled" },
    ]);
  });

  it("ends its events and refuses calls after it was closed", async () => {
    const runtime = runtimeWithTwoImages();
    const events = runtime.events(new AbortController().signal)[Symbol.asyncIterator]();
    const next = events.next();

    await runtime.close();

    await expect(next).resolves.toMatchObject({ done: true });
    await expect(runtime.observe()).rejects.toMatchObject({ code: "unavailable" });
  });
});
