// The theorems about removals on a live node: whatever a person names, what is needed stays.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyRemoval } from "../../src/decide/removal.ts";
import { type NodeRemoval, planInNamespace } from "../../src/decide/removal-on-node.ts";
import { hexOf } from "../../src/image/digest.ts";
import type { NamespaceState } from "../../src/image/node-state.ts";
import { type GeneratedNode, nodeArbitrary } from "../support/node-arbitrary.ts";
import { containerOf, digestOf, imageOf, nameOf, namespaceOf } from "../support/node-builder.ts";

interface Case extends GeneratedNode {
  readonly namespace: NamespaceState;
  readonly removal: NodeRemoval;
}

describe("a removal on a live node", () => {
  it("leaves a name to every image that is used, however the use is spelled, unless it is forced", () => {
    holds(false, ({ namespace, removal, uses }) => {
      const left = targetsAfter(namespace, removal);
      const used = uses.filter((use) => use.namespace === namespace.name && use.target !== undefined);
      const stored = new Set(namespace.names.map(({ target }) => target));

      expect(used.filter(({ target }) => target && stored.has(target) && !left.has(target))).toEqual([]);
    });
  });

  it("leaves every name that a pod spells as it is stored, unless it is forced", () => {
    holds(false, ({ state, removal }) => {
      const alive = (state.pods ?? []).filter(({ phase }) => phase !== "Succeeded" && phase !== "Failed");
      const spelled = new Set(alive.flatMap(({ images }) => images));

      expect(removal.plan.steps.filter(({ name }) => spelled.has(name))).toEqual([]);
    });
  });

  it("leaves a name to every image that a running container uses, even when it is forced", () => {
    holds(true, ({ namespace, removal }) => {
      const left = targetsAfter(namespace, removal);
      const running = namespace.containers.filter(({ state }) => state === "running" || state === "paused");
      const digests = new Set(running.map(({ imageId }) => imageId));
      const lost = namespace.images.filter(
        ({ target }) =>
          digests.has(target) && !left.has(target) && namespace.names.some((name) => name.target === target),
      );

      expect(lost).toEqual([]);
    });
  });

  it("makes no dangling name where CRI manages the names", () => {
    holds(true, ({ namespace, removal }) => {
      const made = removal.plan.steps.filter(({ kind }) => kind === "create-dangling");

      expect(namespace.name === "k8s.io" ? made : []).toEqual([]);
    });
  });

  it("never leaves an image that CRI manages with nothing but its ID name", () => {
    holds(true, ({ namespace, removal }) => {
      const readable = (names: readonly { readonly name: string }[]) =>
        names.some(({ name }) => !name.startsWith("sha256:"));
      const after = Map.groupBy(namesAfter(namespace, removal), ({ target }) => target);
      const before = Map.groupBy(namespace.names, ({ target }) => target);
      const bare = [...after].filter(([target, names]) => !readable(names) && readable(before.get(target) ?? []));

      expect(namespace.name === "k8s.io" ? bare : []).toEqual([]);
    });
  });
});

function holds(force: boolean, check: (one: Case) => void): void {
  const removals = fc
    .tuple(nodeArbitrary, fc.nat(), fc.nat(), fc.boolean())
    .filter(([{ state }]) => state.namespaces.some(({ names }) => names.length > 0));
  fc.assert(
    fc.property(removals, ([node, which, spelling, noPrune]) => {
      const filled = node.state.namespaces.filter(({ names }) => names.length > 0);
      const namespace = filled[which % filled.length];
      if (namespace === undefined) return;
      const ref = referenceIn(namespace, which, spelling);
      const removal = planInNamespace(namespace, node.state.pods, { ref, force, noPrune, origin: "live" });
      check({ ...node, namespace, removal });
    }),
    { numRuns: 500 },
  );
}

describe("a removal from a node where CRI manages the names", () => {
  const app = imageOf("app");
  const tag = "docker.io/library/cafe:latest";
  const request = { ref: tag, force: false, noPrune: false, origin: "captured" } as const;

  it("is refused for a container that is known by its spelling alone", () => {
    const unknown = containerOf("c", { image: "cafe", imageId: digestOf("gone"), state: "running" });
    const node = namespaceOf("k8s.io", { names: [nameOf(tag, app.target)], images: [app], containers: [unknown] });

    expect(planInNamespace(node, [], request).plan).toMatchObject({ kind: "refused", steps: [] });
  });

  it("is not refused for a container whose image has lost the name meanwhile", () => {
    const old = imageOf("old");
    const names = [nameOf(tag, app.target), nameOf("docker.io/library/cafe:old", old.target)];
    const running = containerOf("c", { image: "cafe", imageId: old.id, state: "running" });
    const node = namespaceOf("k8s.io", { names, images: [app, old], containers: [running] });

    expect(planInNamespace(node, [], request).plan.kind).toBe("removal");
  });

  it("leaves the ID name to another image of the same ID, unless it is forced", () => {
    const twin = { ...imageOf("twin"), id: app.id, digests: [imageOf("twin").target, app.id] };
    const labels = { "io.cri-containerd.image": "managed" };
    const names = [
      nameOf(tag, app.target, { labels }),
      nameOf(app.id, app.target, { labels }),
      nameOf("docker.io/library/cafe:2", twin.target, { labels }),
    ];
    const node = namespaceOf("k8s.io", { names, images: [app, twin] });

    const refused = [tag, app.id].map((ref) => planInNamespace(node, [], { ...request, ref }).plan);
    const other = planInNamespace(node, [], { ...request, ref: "docker.io/library/cafe:2" }).plan;
    const forced = planInNamespace(node, [], { ...request, force: true }).plan;

    expect(refused).toMatchObject([
      { kind: "refused", conflict: { kind: "shared-id" } },
      { kind: "refused", steps: [] },
    ]);
    expect([other.kind, forced.kind]).toEqual(["removal", "removal"]);
  });

  it("is refused for one name of an image in use while nobody knows the pods", () => {
    const names = [nameOf(tag, app.target), nameOf("docker.io/library/cafe:2", app.target)];
    const running = containerOf("c", { image: app.id, imageId: app.id, state: "running" });
    const node = namespaceOf("k8s.io", { names, images: [app], containers: [running] });

    expect(planInNamespace(node, null, request).plan.kind).toBe("refused");
    expect(planInNamespace(node, [], request).plan.kind).toBe("removal");
  });
});

/** A name or an ID of some image, spelled in one of many ways. */
function referenceIn(namespace: NamespaceState, which: number, spelling: number): string {
  const name = namespace.names[which % namespace.names.length];
  const target = name?.target;
  const image = namespace.images.find((one) => one.target === target);
  const texts = [
    name?.name ?? "",
    target ?? "",
    image?.id ?? "",
    image === undefined ? "" : hexOf(image.id),
    image === undefined ? "" : hexOf(image.target).slice(0, 12),
    image === undefined ? "" : hexOf(image.id).slice(0, 8),
    `registry.example:5000/team/web@${target}`,
  ];
  return texts[spelling % texts.length] ?? "";
}

function namesAfter(namespace: NamespaceState, { plan }: NodeRemoval) {
  return applyRemoval(namespace.names, plan);
}

function targetsAfter(namespace: NamespaceState, removal: NodeRemoval) {
  return new Set(namesAfter(namespace, removal).map(({ target }) => target));
}
