// Removals where CRI manages the names: ID names mean the image and stay with it, pods count, nothing becomes dangling.
import { describe, expect, it } from "vitest";
import { applyRemoval, planRemoval } from "../../src/decide/removal.ts";
import type { PodNeed, RemovalRecord, RemovalRequest } from "../../src/decide/removal-types.ts";
import type { Digest } from "../../src/image/digest.ts";
import { digestOf } from "../support/digest-of.ts";

const index = digestOf("a1");
const config = digestOf("c3");
const repository = "registry.example/shop/cart";
const shortIndex = index.slice(7, 19);

describe("an image that CRI manages", () => {
  it.each([
    ["its image ID", config],
    ["its image ID without the algorithm", config.slice(7)],
    ["the beginning of its image ID", config.slice(7, 19)],
    ["its target", index],
  ])("goes with all its names when it is named by %s", (_, ref) => {
    const plan = planRemoval(request({ ref }));

    expect(plan.steps.map(({ name }) => name)).toEqual([`${repository}:1`, `${repository}@${index}`, config]);
    expect(plan).toMatchObject({ kind: "removal" });
  });

  it("keeps its ID name and the other repository's names when one repository goes", () => {
    const records = [...triple(), name("other.example/cart:1")];

    const plan = planRemoval(request({ ref: `${repository}:1`, records }));

    expect(left(records, plan)).toEqual(["other.example/cart:1", config]);
  });

  it("keeps its ID name when somebody removes a digest that is known only under another repository", () => {
    const plan = planRemoval(request({ ref: `other.example/cart@${index}` }));

    expect(plan).toMatchObject({ status: 404, steps: [] });
  });

  it("is recognised by its label outside of CRI's namespace", () => {
    const records = triple().map((record) => ({ ...record, labels: { "io.cri-containerd.image": "managed" } }));

    const plan = planRemoval(request({ ref: config, records, criManaged: false }));

    expect(plan.steps).toHaveLength(3);
  });

  it("is not forced away from under a running container, and not made dangling", () => {
    const containers = [{ id: "c0ffee", target: index, running: true, pod: "shop/cart-0" }];

    const plan = planRemoval(request({ ref: `${repository}:1`, containers, force: true }));

    const why = "image is being used by running container c0ffee of pod shop/cart-0";
    expect(plan).toMatchObject({
      status: 409,
      message: `conflict: unable to delete ${shortIndex} (cannot be forced) - ${why}`,
      conflict: { kind: "running-container", pod: "shop/cart-0" },
      steps: [],
    });
  });

  it("is deleted, not made dangling, when it is forced away from a stopped container by name", () => {
    const containers = [{ id: "c0ffee", target: index, running: false }];

    const plan = planRemoval(request({ ref: `${repository}:1`, containers, force: true }));

    expect(plan.steps.map(({ kind }) => kind)).toEqual(["delete", "delete", "delete"]);
  });

  it("keeps every name while it is in use and the pods are not known, unless forced", () => {
    const records = [...triple(), name(`${repository}:2`)];
    const containers = [{ id: "c0ffee", target: index, running: true }];
    const asked = { ref: `${repository}:2`, records, containers, podsUnknown: true };

    const plan = planRemoval(request(asked));
    const forced = planRemoval(request({ ...asked, force: true }));

    expect(plan).toMatchObject({ status: 409, conflict: { kind: "name-in-use", container: "c0ffee" } });
    expect(left(records, forced)).toEqual([`${repository}:1`, `${repository}@${index}`, config]);
  });
});

describe("what a pod needs", () => {
  const pending: PodNeed = {
    pod: "shop/cart-0",
    phase: "Pending",
    names: new Set([`${repository}:1`]),
    targets: new Set(),
  };
  const why = "(must be forced) - image is needed by pod shop/cart-0 (Pending)";

  it("is refused by name, with the pod in the message", () => {
    const plan = planRemoval(request({ ref: `${repository}:1`, pods: [pending] }));

    expect(plan).toMatchObject({
      status: 409,
      message: `conflict: unable to delete ${repository}:1 ${why}`,
      conflict: { kind: "needed-by-pod", forcible: true, pod: "shop/cart-0" },
    });
  });

  it("is refused by ID, with the ID in the message", () => {
    const plan = planRemoval(request({ ref: config, pods: [pending] }));

    expect(plan).toMatchObject({ status: 409, message: `conflict: unable to delete ${shortIndex} ${why}` });
  });

  it("is refused also where the image would keep another name", () => {
    const records = [...triple(), name(`${repository}:2`)];

    const needed = planRemoval(request({ ref: `${repository}:1`, records, pods: [pending] }));
    const spare = planRemoval(request({ ref: `${repository}:2`, records, pods: [pending] }));

    expect(needed).toMatchObject({ status: 409, conflict: { kind: "needed-by-pod" } });
    expect(spare.steps.map(({ name: gone }) => gone)).toEqual([`${repository}:2`]);
  });

  it("is refused when the pod asks for the image by its ID, but not for one of its spare names", () => {
    const records = [...triple(), name(`${repository}:2`)];
    const byId: PodNeed = { pod: "shop/cart-0", phase: "Running", names: new Set(), targets: new Set([index]) };

    const image = planRemoval(request({ ref: config, records, force: false, pods: [byId] }));
    const spare = planRemoval(request({ ref: `${repository}:2`, records, pods: [byId] }));

    expect(image).toMatchObject({ status: 409, conflict: { kind: "needed-by-pod" } });
    expect(spare).toMatchObject({ kind: "removal" });
  });

  it("goes when it is forced", () => {
    const plan = planRemoval(request({ ref: `${repository}:1`, pods: [pending], force: true }));

    expect(plan.steps).toHaveLength(3);
  });
});

describe("a pinned image", () => {
  it("is deleted only by force; its spare names go all the same", () => {
    const records = [...triple(), name(`${repository}:2`)].map((record) => ({ ...record, pinned: true }));

    const spare = planRemoval(request({ ref: `${repository}:2`, records }));
    const whole = planRemoval(request({ ref: config, records: records.slice(0, 3) }));
    const forced = planRemoval(request({ ref: config, records, force: true }));

    expect(spare).toMatchObject({ kind: "removal" });
    expect(whole).toMatchObject({
      status: 409,
      message: `conflict: unable to delete ${shortIndex} (must be forced) - image is pinned`,
    });
    expect(forced).toMatchObject({ kind: "removal" });
  });
});

describe("an image ID outside of CRI", () => {
  it("means the image whose config it is", () => {
    const records = [name("registry.example/plain:1")];

    const plan = planRemoval(request({ ref: config.slice(7, 15), records, criManaged: false }));

    expect(left(records, plan)).toEqual([]);
  });

  it("is ambiguous when two images share the config, and both are named", () => {
    const records = [name("registry.example/one:1"), { ...name("registry.example/two:1"), target: digestOf("b2") }];

    const plan = planRemoval(request({ ref: config, records, criManaged: false }));

    expect(plan).toMatchObject({
      status: 404,
      message: "ambiguous reference",
      candidates: ["registry.example/one:1", "registry.example/two:1"],
    });
  });
});

function request(more: Partial<RemovalRequest> & Pick<RemovalRequest, "ref">): RemovalRequest {
  return { records: triple(), containers: [], force: false, noPrune: false, safe: true, criManaged: true, ...more };
}

function triple(): RemovalRecord[] {
  return [name(`${repository}:1`), name(`${repository}@${index}`), name(config)];
}

function name(text: string): RemovalRecord {
  return { name: text, target: index, digests: [index, config] as readonly Digest[] };
}

function left(records: readonly RemovalRecord[], plan: ReturnType<typeof planRemoval>): readonly string[] {
  return applyRemoval(records, plan).map((record) => record.name);
}
