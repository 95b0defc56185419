// The simulated node of `npm start`: always the same for the same seed, and shaped as a real node is.
import { describe, expect, it } from "vitest";
import { createLivelyNode } from "../../../src/runtime/embedded/lively-node.ts";

const startedAt = Date.UTC(2026, 10, 22);

function livedNode(seed: number, steps: number) {
  const node = createLivelyNode({ seed, startedAt });
  node.podSource.start();
  const lines = Array.from({ length: steps }, (_, second) => node.step(startedAt + (second + 1) * 1000)).flat();
  return { node, lines };
}

describe("the lively node", () => {
  it("lives the same life for the same seed, and another for another", () => {
    const first = livedNode(7, 100);
    const second = livedNode(7, 100);
    const other = livedNode(8, 100);

    expect(second.lines).toEqual(first.lines);
    expect(second.node.runtime.snapshot()).toEqual(first.node.runtime.snapshot());
    expect(other.lines).not.toEqual(first.lines);
  });

  it("begins with pods that run, older releases that nobody needs and a pinned pause image", () => {
    const { node } = livedNode(1, 0);

    const [namespace] = node.runtime.snapshot().namespaces;
    const view = node.podSource.view();

    const used = new Set(namespace?.containers.map((container) => container.imageId));
    expect(namespace?.name).toBe("k8s.io");
    expect(namespace?.images.filter((image) => image.pinned)).toHaveLength(1);
    expect(namespace?.images.some((image) => !used.has(image.id))).toBe(true);
    expect(view.kind === "synced" && view.pods.every((pod) => pod.phase === "Running")).toBe(true);
  });

  it.each([1, 2, 3])("never runs a container whose image is not there, with seed %i", (seed) => {
    const node = createLivelyNode({ seed, startedAt });

    for (let second = 1; second <= 300; second++) {
      node.step(startedAt + second * 1000);
      const [namespace] = node.runtime.snapshot().namespaces;
      const ids = new Set(namespace?.names.map((name) => name.name));

      expect(namespace?.containers.filter((container) => !ids.has(container.imageId))).toEqual([]);
    }
  });

  it("knows when each image was built, and builds a later release later", () => {
    const { node } = livedNode(1, 50);

    const { images = [], names = [] } = node.runtime.snapshot().namespaces[0] ?? {};
    const built = (name: string) => images.find(({ target }) => target === targetOf(name))?.createdAt ?? Number.NaN;
    const targetOf = (name: string) => names.find((one) => one.name === name)?.target;
    const carts = names.flatMap(({ name }) => (/cart:2\.4\.\d+$/.test(name) ? [name] : [])).toSorted();

    expect(images.filter(({ createdAt }) => createdAt === undefined)).toEqual([]);
    expect(carts.length).toBeGreaterThan(1);
    expect(carts.map(built)).toEqual(carts.map(built).toSorted((a, b) => a - b));
  });

  it("rolls out, runs jobs, pulls and removes, and tells each in one line", () => {
    const { lines } = livedNode(1, 300);

    for (const happening of [
      /^rolling out /,
      /^pulled /,
      /^started /,
      /^stopping /,
      /^removed /,
      /^job .* finished$/,
      /by hand$/,
    ]) {
      expect(lines.some((line) => happening.test(line))).toBe(true);
    }
    expect(lines.filter((line) => line.includes("\n"))).toEqual([]);
  });

  it("stores the three names of CRI for every image pulled by tag", () => {
    const { node } = livedNode(1, 50);

    const [namespace] = node.runtime.snapshot().namespaces;

    const names = new Set(namespace?.names.map((name) => name.name));
    for (const image of namespace?.images ?? []) expect(names).toContain(image.id);
    for (const name of namespace?.names ?? []) {
      if (name.name.startsWith("sha256:")) continue;
      const repository = name.name.replace(/(@.*|:[^/:]*)$/, "");
      expect(names).toContain(`${repository}@${name.target}`);
    }
  });

  it("knows each pod before its image is pulled and its container started", () => {
    const node = createLivelyNode({ seed: 1, startedAt });
    node.podSource.start();
    const known = new Set<string>();

    for (let second = 0; second <= 200; second++) {
      const before = node.podSource.view();
      if (before.kind === "synced") for (const pod of before.pods) known.add(`${pod.namespace}/${pod.name}`);
      node.step(startedAt + second * 1000);
      const containers = node.runtime.snapshot().namespaces[0]?.containers ?? [];

      expect(containers.filter((container) => !known.has(container.pod ?? ""))).toEqual([]);
    }
  });

  it("tells listeners of every step from the start until they leave, and is unsynced before", () => {
    const node = createLivelyNode({ seed: 1, startedAt });
    let calls = 0;
    const leave = node.podSource.onChange(() => calls++);

    const before = node.podSource.view();
    node.step(startedAt + 1000);
    const tooEarly = calls;
    node.podSource.start();
    node.step(startedAt + 2000);
    leave();
    node.step(startedAt + 3000);

    expect([before.kind, tooEarly, calls]).toEqual(["unsynced", 0, 1]);
  });
});
