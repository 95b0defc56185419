// Names on a Docker Engine: tags and digest references of one repository go together, parents stay with what was built on them.
import { describe, expect, it } from "vitest";
import { emptyHistory } from "../../src/decide/history.ts";
import { planRemoval } from "../../src/decide/removal.ts";
import type { RemovalRequest } from "../../src/decide/removal-types.ts";
import type { Image, ImageStore } from "../../src/image/node-state.ts";
import { containerOf, digestOf, imageOf } from "../support/node-builder.ts";
import { planScene, type Scene, staying, verdictsOf } from "../support/planned.ts";

const app = imageOf("app");
const [tag, other] = ["registry.example/r:v1", "registry.example/x:1"];
const reference = `registry.example/r@${app.target}`;

function planOnEngine(scene: Omit<Scene, "namespace" | "state">, imageStore: ImageStore = "graph-driver") {
  const runtime = { kind: "docker", version: "28", exactBytes: false, imageStore } as const;
  return planScene({ ...scene, namespace: "docker", pods: null, state: { takenAt: Date.UTC(2026, 5, 1), runtime } });
}

describe("an image on a Docker Engine", () => {
  const names = [
    [tag, app],
    [reference, app],
    [other, app],
  ] as const;

  it("loses all names when nothing uses it", () => {
    expect(staying(planOnEngine({ images: [app], names }))).toEqual([]);
  });

  it("stays when an engine calls it its own grandparent: what waits for itself is not removed past all limits", () => {
    const [left, right] = [imageOf("left"), imageOf("right")];
    const images = [
      { ...left, parent: right.target },
      { ...right, parent: left.target },
    ];

    const plan = planOnEngine({
      images,
      names: [
        [tag, left],
        [other, right],
      ],
    });

    expect(staying(plan)).toEqual([tag, other]);
    expect(plan.plannedBytes).toBe(0);
  });

  it("keeps the digest reference that a container is made by, with the tag that would take it along", () => {
    const containers = [containerOf("c", { image: reference, imageId: app.target })];

    const { stay, go } = verdictsOf(planOnEngine({ images: [app], names, containers }));

    expect(stay).toEqual({ [tag]: "companion-of-digest", [reference]: "used-by-container" });
    expect(go).toEqual({ [other]: "spare-name" });
  });

  it("keeps the digest reference of the tag that a container is made by", () => {
    const containers = [containerOf("c", { image: tag, imageId: app.target })];

    const { stay } = verdictsOf(planOnEngine({ images: [app], names, containers }));

    expect(stay).toEqual({ [tag]: "used-by-container", [reference]: "companion-of-tag" });
  });

  it("keeps its last tag, and what belongs to it, when a container uses it by ID", () => {
    const containers = [containerOf("c", { image: app.target, imageId: app.target })];

    const { stay } = verdictsOf(planOnEngine({ images: [app], names: [names[0], names[1]], containers }));

    expect(stay).toEqual({ [tag]: "last-name used-by-container", [reference]: "companion-of-tag" });
  });
});

describe("an image that others were built on", () => {
  const base: Image = imageOf("base");
  const beneath: Image = { ...imageOf("beneath"), parent: base.target };
  const child: Image = { ...imageOf("child"), parent: beneath.target };
  const names = [
    ["registry.example/base:1", base],
    ["registry.example/child:1", child],
  ] as const;
  const images = [base, beneath, child];

  it("stays as long as one of them does, through images without a name", () => {
    const containers = [containerOf("c", { image: "registry.example/child:1", imageId: child.target })];

    const { stay } = verdictsOf(planOnEngine({ images, names, containers }));

    expect(stay).toEqual({
      "registry.example/base:1": "parent-of-image",
      "registry.example/child:1": "used-by-container",
    });
  });

  it("goes after them", () => {
    const plan = planOnEngine({ images, names, history: emptyHistory("record-time") });

    expect(plan.images.map(({ image }) => image.target)).toEqual([child.target, base.target]);
  });

  it("goes together with them", () => {
    expect(staying(planOnEngine({ images, names }))).toEqual([]);
  });
});

describe("until, where the runtime does not tell when a name was made", () => {
  it.each([
    [Date.UTC(2025, 0, 1), []],
    [Date.UTC(2026, 3, 1), [tag]],
  ])("an image built at %i: %j stay", (createdAt, stays) => {
    const built = { ...app, createdAt };

    const plan = planOnEngine({ images: [built], names: [[tag, built]], policy: { until: [Date.UTC(2026, 0, 1)] } });

    expect(staying(plan)).toEqual(stays);
  });
});

describe("a removal that a Docker Engine carries out", () => {
  const a = digestOf("a");
  const records = [
    { name: tag, target: a },
    { name: `registry.example/r@${digestOf("manifest")}`, target: a },
  ];
  const request = (more: Partial<RemovalRequest>): RemovalRequest => {
    return { records, containers: [], ref: tag, force: false, noPrune: false, engine: "graph-driver", ...more };
  };

  it("takes a digest reference alone on a graph driver, and its tags along in the containerd image store", () => {
    const ref = records[1]?.name ?? "";

    const alone = planRemoval(request({ ref }));
    const together = planRemoval(request({ ref, engine: "containerd" }));

    expect(alone.steps.map(({ name }) => name)).toEqual([ref]);
    expect(together.steps.map(({ name }) => name)).toEqual([tag, ref]);
  });

  it.each([
    [true, "stopped", tag, "name-in-use"],
    [false, "stopped", a, "stopped-container"],
  ])("does not go past a container by force (by name: %s)", (_, state, ref, kind) => {
    const containers = [{ id: "c".repeat(64), target: a, running: state === "running" }];

    const plan = planRemoval(request({ containers, ref, force: true, records: records.slice(0, 1) }));

    expect(plan).toMatchObject({ kind: "refused", status: 409, conflict: { kind, forcible: false } });
    expect(plan).toMatchObject({ message: expect.stringContaining("(cannot be forced)") });
  });

  it("refuses the ID of an image that others were built on, and takes only its name, on a graph driver", () => {
    const parents = new Set([a]);

    const byId = planRemoval(request({ parents, ref: a }));
    const byName = planRemoval(request({ parents, records: records.slice(0, 1) }));

    expect(byId).toMatchObject({ status: 409, message: expect.stringContaining("image has dependent child images") });
    expect(byName).toMatchObject({ kind: "removal", report: [{ untagged: tag }] });
  });

  it("makes no dangling record: the engine does that", () => {
    const child = { name: other, target: digestOf("child"), parent: a };

    const plan = planRemoval(
      request({ engine: "containerd", parents: new Set([a]), records: [{ name: tag, target: a }, child] }),
    );

    expect(plan.steps.map(({ kind }) => kind)).toEqual(["delete"]);
  });
});
