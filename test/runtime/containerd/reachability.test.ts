// Theorems about what keeps what alive.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { References } from "../../../src/runtime/containerd/gc-labels.ts";
import { heldBy } from "../../../src/runtime/containerd/held.ts";
import {
  addBlob,
  addSnapshot,
  emptyInventory,
  type Inventory,
  reach,
} from "../../../src/runtime/containerd/inventory.ts";
import { digestOf } from "../../support/digest-of.ts";

const pairs = Array.from({ length: 16 }, (_, n) => n.toString(16).padStart(2, "0"));

interface World {
  readonly blobEdges: readonly (readonly number[])[];
  readonly snapshotEdges: readonly (readonly number[])[];
  readonly parents: readonly (number | undefined)[];
}

const node = fc.nat({ max: 15 });
const world: fc.Arbitrary<World> = fc.record({
  blobEdges: fc.array(fc.array(node, { maxLength: 3 }), { maxLength: 12 }),
  snapshotEdges: fc.array(fc.array(node, { maxLength: 1 }), { maxLength: 12 }),
  parents: fc.array(fc.option(node, { nil: undefined }), { maxLength: 12 }),
});

function snapshotKey(n: number): string {
  return `overlayfs/${n}`;
}

/** Parents are always older, as in a real snapshotter. */
function build({ blobEdges, snapshotEdges, parents }: World): Inventory {
  const inventory = emptyInventory();
  blobEdges.forEach((edges, n) => {
    const digest = digestOf(pairs[n] ?? "");
    const blobs = edges.map((edge) => digestOf(pairs[edge] ?? ""));
    const references = { blobs, snapshots: (snapshotEdges[n] ?? []).map(snapshotKey) };
    addBlob(inventory, { blob: { digest, size: n }, references, root: false }, undefined);
  });
  parents.forEach((parent, n) => {
    const key = snapshotKey(n);
    const older = parent !== undefined && parent < n ? snapshotKey(parent) : undefined;
    const references: References = { blobs: [], snapshots: [] };
    const rest = { snapshotter: "overlayfs", name: `${n}`, committed: true, createdAt: "", root: false };
    addSnapshot(inventory, { key, parent: older, references, ...rest }, undefined);
  });
  return inventory;
}

const starts: fc.Arbitrary<References> = fc.record({
  blobs: fc.array(
    node.map((n) => digestOf(pairs[n] ?? "")),
    { maxLength: 3 },
  ),
  snapshots: fc.array(node.map(snapshotKey), { maxLength: 3 }),
});

describe("reachability", () => {
  test("visits every node once and snapshots after their parents", () => {
    fc.assert(
      fc.property(world, starts, (drawn, start) => {
        const { blobs, snapshots } = reach(build(drawn), start);

        const order = snapshots.map((snapshot) => snapshot.key);
        expect(new Set(blobs).size).toBe(blobs.length);
        expect(new Set(order).size).toBe(order.length);
        for (const { key, parent } of snapshots) {
          if (parent !== undefined) expect(order.slice(0, order.indexOf(key))).toContain(parent);
        }
      }),
    );
  });

  test("is closed: what is reached from something reached was reached already", () => {
    fc.assert(
      fc.property(world, starts, (drawn, start) => {
        const inventory = build(drawn);
        const first = reach(inventory, start);
        const again = reach(inventory, {
          blobs: first.blobs.map((one) => one.blob.digest),
          snapshots: first.snapshots.map((one) => one.key),
        });

        expect(new Set(again.blobs)).toEqual(new Set(first.blobs));
        expect(new Set(again.snapshots)).toEqual(new Set(first.snapshots));
      }),
    );
  });

  test("grows with what it starts from", () => {
    fc.assert(
      fc.property(world, starts, starts, (drawn, one, two) => {
        const inventory = build(drawn);
        const small = reach(inventory, one);
        const large = new Set(
          reach(inventory, { blobs: [...one.blobs, ...two.blobs], snapshots: [...one.snapshots, ...two.snapshots] })
            .blobs,
        );

        expect(small.blobs.every((blob) => large.has(blob))).toBe(true);
      }),
    );
  });
});

describe("what is held", () => {
  const inventory = build({ blobEdges: [[1], [], []], snapshotEdges: [], parents: [undefined, 0] });
  const none = { containers: [], leases: [], expected: [] };
  const references = { blobs: [digestOf("00")], snapshots: ["overlayfs/1"] };

  test("follows what a lease lists", () => {
    const held = heldBy(inventory, { ...none, leases: [{ id: "a", flat: false, references }] });

    expect(held).toEqual({ blobs: [digestOf("00"), digestOf("01")], snapshots: ["overlayfs/0", "overlayfs/1"] });
  });

  test("takes only what a flat lease lists itself", () => {
    const held = heldBy(inventory, { ...none, leases: [{ id: "a", flat: true, references }] });

    expect(held).toEqual({ blobs: [digestOf("00")], snapshots: ["overlayfs/1"] });
  });

  test("takes the blobs that running writes will have, when they are here", () => {
    expect(heldBy(inventory, { ...none, expected: [digestOf("02"), digestOf("ff")] }).blobs).toEqual([digestOf("02")]);
  });

  test("takes a writable snapshot that nobody owns, with its parents", () => {
    const drawn = build({ blobEdges: [], snapshotEdges: [], parents: [undefined, 0] });
    const top = drawn.snapshots.get("overlayfs/1");
    if (top) drawn.snapshots.set("overlayfs/1", { ...top, committed: false });

    expect(heldBy(drawn, none).snapshots).toEqual(["overlayfs/0", "overlayfs/1"]);
  });
});
