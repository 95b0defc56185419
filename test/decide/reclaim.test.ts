// The bytes that a plan promises: shared content is counted once, and only when the last holder goes.
import { describe, expect, it } from "vitest";
import { emptyHistory } from "../../src/decide/history.ts";
import { takeInventory } from "../../src/decide/inventory.ts";
import { makePlan } from "../../src/decide/plan.ts";
import { removeAllUnused } from "../../src/decide/policy.ts";
import type { NodeState } from "../../src/image/node-state.ts";
import { podOf } from "../support/fake-pods.ts";
import { containerOf, digestOf, imageOf, nameOf, namespaceOf, nodeOf } from "../support/node-builder.ts";
import { planScene } from "../support/planned.ts";

// Each image: manifest 100, config 200, per layer a blob of 1000 and a snapshot of 2000.
const left = imageOf("left", { layers: ["base", "left"] });
const right = imageOf("right", { layers: ["base", "right"] });
const alone = 300 + 3000;
const base = 3000;

function bytesOf(state: Partial<NodeState>) {
  const plan = makePlan({ state: nodeOf(state), history: emptyHistory("record-time"), policy: removeAllUnused });
  return { planned: plan.plannedBytes, alone: plan.images.map(({ bytes }) => bytes) };
}

describe("the bytes of a plan", () => {
  it("count a shared layer once when all images that share it go", () => {
    const plan = planScene({
      images: [left, right],
      names: [
        ["a:1", left],
        ["b:1", right],
      ],
    });

    expect(plan.plannedBytes).toBe(2 * alone + base);
    expect(plan.images.map(({ bytes }) => bytes)).toEqual([alone, alone]);
  });

  it("leave out a shared layer when another image keeps it", () => {
    const names = [
      ["r.example/a:1", left],
      ["r.example/b:1", right],
    ] as const;

    const plan = planScene({ images: [left, right], names, pods: [podOf("p", ["r.example/b:1"])] });

    expect(plan.plannedBytes).toBe(alone);
  });

  it("count an image with several names once", () => {
    const plan = planScene({
      images: [left],
      names: [
        ["a:1", left],
        ["a:2", left],
        ["a:3", left],
      ],
    });

    expect(plan.plannedBytes).toBe(alone + base);
  });

  it("are nothing when only spare names go", () => {
    const names = [
      ["r.example/a:1", left],
      ["r.example/a:2", left],
    ] as const;

    const plan = planScene({ images: [left], names, pods: [podOf("p", ["r.example/a:2"])] });

    expect(plan.images[0]?.names.map(({ action }) => action)).toEqual(["untag", "keep"]);
    expect(plan.plannedBytes).toBe(0);
  });

  it("leave out what containers, leases and running pulls hold", () => {
    const held = { blobs: [left.id], snapshots: [left.snapshots[1]?.key ?? ""] };

    const plan = planScene({ images: [left], names: [["a:1", left]], held });

    expect(plan.plannedBytes).toBe(alone + base - 200 - 2000);
  });

  it("leave out blobs that namespaces outside the view hold, and count the layers all the same", () => {
    const plan = planScene({
      images: [left],
      names: [["a:1", left]],
      state: { foreignBlobs: left.blobs.map(({ digest }) => digest) },
    });

    expect(plan.plannedBytes).toBe(4000);
  });

  it("count blobs of two namespaces once and their layers twice", () => {
    const namespaces = ["one", "two"].map((name) =>
      namespaceOf(name, { names: [nameOf("a:1", left.target)], images: [left] }),
    );

    expect(bytesOf({ namespaces })).toEqual({ planned: 2300 + 2 * 4000, alone: [4000, 4000] });
  });

  it("leave out blobs that an image in another namespace keeps", () => {
    const entry = { names: [nameOf("a:1", left.target)], images: [left] };
    const used = { ...entry, containers: [containerOf("c", { imageId: left.target })] };

    expect(bytesOf({ namespaces: [namespaceOf("one", entry), namespaceOf("two", used)] }).planned).toBe(4000);
  });

  it("leave out what an image without any name shares", () => {
    const namespaces = [namespaceOf("default", { names: [nameOf("a:1", left.target)], images: [left, right] })];

    expect(bytesOf({ namespaces }).planned).toBe(alone);
  });

  it("are nothing for an image of which nothing is known", () => {
    const namespaces = [namespaceOf("default", { names: [nameOf("a:1", digestOf("unknown"))] })];

    expect(bytesOf({ namespaces })).toEqual({ planned: 0, alone: [0] });
  });
});

describe("the inventory of a plan", () => {
  const third = { ...imageOf("third", { layers: ["base", "third"] }), pinned: true };

  it("counts images, bytes and names, shared content where it is needed most", () => {
    const plan = planScene({
      images: [left, right, third],
      names: [
        ["r.example/a:1", left],
        [`r.example/a@${left.target}`, left],
        [left.id, left],
        ["r.example/b:1", right],
        ["r.example/c:1", third],
      ],
      pods: [podOf("p", ["r.example/a:1"])],
    });

    expect(takeInventory(plan)).toEqual({
      images: { in_use: 1, kept: 1, removable: 1 },
      bytes: { in_use: alone + base, kept: alone, removable: alone },
      names: { tag: 3, "digest-reference": 1, id: 1, dangling: 0, other: 0 },
    });
  });

  it("says of an empty node that there is nothing", () => {
    expect(takeInventory(planScene({ images: [], names: [] })).images).toEqual({ in_use: 0, kept: 0, removable: 0 });
  });

  it("counts dangling records and names that are no references", () => {
    const names = [
      [`moby-dangling@${left.target}`, left],
      ["Not A Name", right],
    ] as const;

    const { names: counted } = takeInventory(planScene({ namespace: "default", images: [left, right], names }));

    expect(counted).toMatchObject({ dangling: 1, other: 1, tag: 0 });
  });
});
