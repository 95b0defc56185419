// What CRI adds to the view of containerd, and what happens when it fails.
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { observeOnly, useFakeDaemon } from "./fake-connection.ts";
import { pull } from "./fake-image.ts";

const fake = useFakeDaemon();

describe("CRI", () => {
  test("its image ID and the spelling of the pod win over the record, and its pinned images are pinned", async () => {
    const image = pull(fake.namespace, { names: ["a:1"], layers: ["base"] });
    fake.namespace.containers.push({ id: "c1", image: "a:1" });
    const spelled = { image: image.config, userSpecifiedImage: "a" };
    fake.node.cri = {
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

    const state = await observeOnly(await fake.connect());

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
    fake.node.cri = {
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
    const from = await fake.connect();
    await from.observe();
    broken = true;

    await expect(from.observe()).rejects.toMatchObject({ operation: "cri list containers" });
    await expect(from.containers("k8s.io")).rejects.toMatchObject({ operation: "cri list containers" });
  });
});
