// The bytes that a report tells are the bytes that the disk gains.
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { type DiskUse, diskUse, lost } from "../support/e2e-disk.ts";
import { describeNodes, type E2eNode } from "../support/e2e-node.ts";
import { type BuiltImage, buildImage } from "../support/oci/image.ts";
import { type BuiltLayer, buildLayer } from "../support/oci/layer.ts";
import { waitFor } from "../support/wait.ts";

const megabyte = 1 << 20;

describeNodes("reclaimed bytes", (node) => {
  test("are those of manifest and config alone when another image keeps the layers", async () => {
    const layer = layerOf(megabyte);
    const [kept, alias] = [imageOf(layer), buildImage({ layers: [layer], labels: { alias: "yes" } })];
    await importAll(node(), { kept, alias }, "aliases");
    const before = diskUse(node().containerd);

    const report = await node().prune(["--namespace", "aliases", "--pods", "none", "--keep", "example.org/kept:1"]);
    const gained = lost(before, diskUse(node().containerd));

    expect(report.untagged).toEqual(["example.org/alias:1"]);
    expect(report.reclaimedBytes).toBe(alias.config.size + alias.manifest.size);
    // Two blobs, and the folders of a layer that the second import unpacked in vain, which leave with the collection.
    expect(gained.bytes).toBeGreaterThanOrEqual(2 * 4096);
    expect(gained.bytes).toBeLessThanOrEqual(8 * 4096);
  });

  test("are what the disk gains within 5 %, shared layers counted when their last image goes", async () => {
    const base = layerOf(3 * megabyte);
    const [kept, sharing] = [imageOf(base, layerOf(megabyte)), imageOf(base, layerOf(2 * megabyte))];
    const pair = layerOf(4 * megabyte);
    const [first, second] = [imageOf(pair, layerOf(megabyte)), imageOf(pair, layerOf(3 * megabyte))];
    await importAll(node(), { kept, sharing, first, second });
    await createContainer(node(), "example.org/kept:1");
    const before = diskUse(node().containerd);

    const plan = await node().plan(flags);
    const report = await node().prune(flags);
    const gained = await gainedSince(before, node(), report.reclaimedBytes * 0.95);

    expect([...report.deleted].sort()).toEqual([sharing, first, second].map((image) => image.config.digest).sort());
    expect(plan.plannedBytes).toBe(report.reclaimedBytes);
    expect(report.plannedBytes).toBe(report.reclaimedBytes);
    expect(Math.abs(gained.bytes - report.reclaimedBytes) / report.reclaimedBytes).toBeLessThan(0.05);
  });

  test("of tiny images differ from the disk's by less than a block for each file and folder", async () => {
    const images = Object.fromEntries(
      Array.from({ length: 10 }, (_, i) => [`tiny-${i}`, imageOf(buildLayer({ "etc/name": `tiny ${i}\n` }))]),
    );
    await importAll(node(), images);
    const before = diskUse(node().containerd);

    const report = await node().prune(flags);
    const gained = await gainedSince(before, node(), report.reclaimedBytes);

    expect(report.deleted).toHaveLength(10);
    expect(report.plannedBytes).toBe(report.reclaimedBytes);
    expect(gained.bytes - report.reclaimedBytes).toBeLessThan(gained.entries * 4096);
  });
});

const flags = ["--namespace", "default", "--pods", "none"];

/** Bytes that do not compress: the blob is as large as the unpacked file. */
function layerOf(size: number): BuiltLayer {
  return buildLayer({ [`data/${size}`]: randomBytes(size) });
}

function imageOf(...layers: readonly BuiltLayer[]): BuiltImage {
  return buildImage({ layers });
}

async function importAll(
  { containerd }: E2eNode,
  images: Readonly<Record<string, BuiltImage>>,
  namespace = "default",
): Promise<void> {
  for (const [key, image] of Object.entries(images)) {
    await containerd.import(image, { names: [`example.org/${key}:1`], namespace });
  }
}

async function createContainer({ containerd }: E2eNode, image: string): Promise<void> {
  await containerd.ctr("containers", "create", "--snapshotter", containerd.snapshotter, image, "user");
}

/** Snapshots leave the disk shortly after the collection: waits until at least `expected` bytes are gone. */
async function gainedSince(before: DiskUse, { containerd }: E2eNode, expected: number): Promise<DiskUse> {
  await waitFor("the layers to leave the disk", () => lost(before, diskUse(containerd)).bytes >= expected);
  return lost(before, diskUse(containerd));
}
