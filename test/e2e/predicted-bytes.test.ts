// What a plan predicts is what the disk gains, whichever images of a store with shared layers go: twenty sets drawn at random.
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { type DiskUse, diskUse, lost } from "../support/e2e-disk.ts";
import { describeNodes, type E2eNode } from "../support/e2e-node.ts";
import { type BuiltImage, buildImage } from "../support/oci/image.ts";
import { buildLayer } from "../support/oci/layer.ts";
import { waitFor } from "../support/wait.ts";

const sets = 20;
const flags = ["--namespace", "default", "--pods", "none"];

/** Bytes that do not compress, in megabytes: bases of many images, and layers of their own. */
const [base, runtime, library] = [4, 3, 2].map((size) => layerOf(size));
const stacks = [[], [runtime], [runtime], [runtime, library], [runtime, library], [library], [library]];
const images: readonly BuiltImage[] = stacks.map((stack, i) =>
  buildImage({ layers: [base, ...stack, layerOf(1 + (i % 3))].filter((layer) => layer !== undefined) }),
);

describeNodes(
  "predicted bytes",
  (node) => {
    test(`are what the disk gains within 1 % for ${sets} sets of images`, async () => {
      const random = dice(7);
      const misses: number[] = [];
      for (let set = 0; set < sets; set++) {
        await importMissing(node());
        const kept = images.flatMap((_, i) => (random() < 0.5 ? ["--keep", nameOf(i)] : []));
        const before = diskUse(node().containerd);

        const report = await node().prune([...flags, ...kept]);
        const gained = await gainedSince(before, node(), report.plannedBytes * 0.99);

        expect(report.deleted).toHaveLength(images.length - kept.length / 2);
        expect(report.reclaimedBytes).toBe(report.plannedBytes);
        if (report.plannedBytes > 0) misses.push(Math.abs(gained.bytes / report.plannedBytes - 1));
      }

      expect(misses.length).toBeGreaterThan(sets / 2);
      expect(Math.max(...misses)).toBeLessThan(0.01);
    }, 300_000);
  },
  ["2.1"],
);

function layerOf(megabytes: number) {
  return buildLayer({ "data/file": randomBytes(megabytes << 20) });
}

function nameOf(number: number): string {
  return `example.org/image-${number}:1`;
}

async function importMissing({ containerd, names }: E2eNode): Promise<void> {
  const there = await names();
  for (const [i, image] of images.entries()) {
    if (!there.includes(nameOf(i))) await containerd.import(image, { names: [nameOf(i)], namespace: "default" });
  }
}

/** Snapshots leave the disk shortly after the collection: waits until at least `expected` bytes are gone. */
async function gainedSince(before: DiskUse, { containerd }: E2eNode, expected: number): Promise<DiskUse> {
  await waitFor("the layers to leave the disk", () => lost(before, diskUse(containerd)).bytes >= expected);
  return lost(before, diskUse(containerd));
}

/** Numbers from 0 to 1, the same in every run (mulberry32). */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
