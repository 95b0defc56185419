// The check of content against its digests: every kind of damage, what is no damage, and how content is read.
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Digest } from "../../src/image/digest.ts";
import type { Image } from "../../src/image/node-state.ts";
import { createEmbeddedRuntime, type EmbeddedRuntime } from "../../src/runtime/embedded/embedded-runtime.ts";
import { RuntimeError } from "../../src/runtime/runtime-error.ts";
import { type BlobProblem, type VerifyInput, verifyImages } from "../../src/verify/verify.ts";
import { nodeOf } from "../support/node-builder.ts";
import type { Storable } from "../support/oci/descriptor.ts";
import { type BuiltImage, buildImage } from "../support/oci/image.ts";
import { buildLayer } from "../support/oci/layer.ts";
import { buildIndex } from "../support/oci/multi-platform.ts";

const layers = [buildLayer({ "etc/base": "base" }), buildLayer({ "etc/app": "app" })];
const app = buildImage({ layers });
const sibling = buildImage({ layers: [layers[0] ?? buildLayer({})], labels: { app: "sibling" } });

describe("verify", () => {
  test("finds nothing wrong with content that is as its digests say", async () => {
    const node = nodeWith([app]);

    const result = await verify(node);

    expect(result).toMatchObject({ images: 1, blobs: 4, discarded: 0, notFetched: 0, collected: 0, problems: [] });
    expect(result.bytes).toBe(bytesOf(app));
  });

  test.each([
    ["config", () => app.config.digest],
    ["layer", () => layerDigest(1)],
    ["manifest", () => app.manifest.digest],
  ])("reports an altered %s, what its bytes are instead, and the image", async (role, digestOf) => {
    const node = nodeWith([app]);
    const bytes = Buffer.alloc(sizeIn(app, digestOf()), "x");
    node.runtime.putContent(digestOf(), bytes);

    const { problems } = await verify(node);

    expect(problems).toEqual([
      expect.objectContaining({ digest: digestOf(), role, problem: "altered", foundDigest: sha256(bytes) }),
    ]);
    expect(problems[0]?.images).toEqual([{ namespace: "main", image: node.images[0] }]);
  });

  test("checks config and layers of an image whose manifest is altered", async () => {
    const node = nodeWith([app]);
    node.runtime.putContent(app.manifest.digest, Buffer.from("{}"));
    node.runtime.putContent(layerDigest(0), Buffer.from("no layer"));

    const { problems, blobs } = await verify(node);

    expect(problems.map(({ digest }) => digest)).toEqual([app.manifest.digest, layerDigest(0)]);
    expect(blobs).toBe(4);
  });

  test("tells a blob that is cut short from one with other bytes", async () => {
    const node = nodeWith([app]);
    node.runtime.putContent(layerDigest(1), contentOf(app, layerDigest(1)).subarray(0, 10));

    const { problems } = await verify(node);

    expect(problems).toEqual([expect.objectContaining({ problem: "truncated", readBytes: 10 })]);
  });

  test("reports a blob that the runtime knows and whose bytes are gone", async () => {
    const node = nodeWith([app], { without: [layerDigest(0)] });

    const { problems } = await verify(node);

    expect(problems).toEqual([expect.objectContaining({ digest: layerDigest(0), problem: "missing", role: "layer" })]);
  });

  test("reports a blob that the runtime does not know although a manifest lists it", async () => {
    const node = nodeWith([app], { unknown: [app.config.digest, layerDigest(0)], snapshots: false });

    const { problems } = await verify(node);

    expect(problems.map(summary)).toEqual([
      { digest: app.config.digest, role: "config", problem: "missing" },
      { digest: layerDigest(0), role: "layer", problem: "missing" },
    ]);
  });

  test("takes layers for discarded that are not there any more while the image is unpacked", async () => {
    const node = nodeWith([app], { unknown: [layerDigest(0), layerDigest(1)] });

    const result = await verify(node);

    expect(result).toMatchObject({ problems: [], discarded: 2, blobs: 2 });
  });

  test("takes platforms of an index for not fetched that are not there", async () => {
    const elsewhere = buildImage({ layers: [], platform: { os: "linux", architecture: "s390x" } });
    const index = buildIndex([elsewhere, app], { leaveOut: [elsewhere] });
    const node = nodeWith([index], { ids: [app.config.digest] });

    const result = await verify(node);

    expect(result).toMatchObject({ problems: [], notFetched: 1, blobs: 5 });
  });

  test("takes a platform for not fetched of which only the manifest is there", async () => {
    const elsewhere = buildImage({
      layers: [layers[0] ?? buildLayer({})],
      platform: { os: "linux", architecture: "arm" },
    });
    const index = buildIndex([elsewhere, app]);
    const node = nodeWith([index], { ids: [app.config.digest], unknown: [elsewhere.config.digest] });

    const result = await verify(node);

    expect(result).toMatchObject({ problems: [], notFetched: 1 });
  });

  test("reports an index of which no platform is there at all", async () => {
    const index = buildIndex([app]);
    const all = app.blobs.map(({ descriptor }) => descriptor.digest);
    const node = nodeWith([index], { unknown: all, snapshots: false });

    const { problems } = await verify(node);

    expect(problems.map(summary)).toEqual([{ digest: app.manifest.digest, role: "manifest", problem: "missing" }]);
  });

  test("reads a blob once that two images share, and names both when it is damaged", async () => {
    const node = nodeWith([app, sibling]);
    node.runtime.putContent(layerDigest(0), Buffer.from("damaged"));

    const { problems, blobs } = await verify(node);

    expect(blobs).toBe(6);
    expect(node.runtime.callCount("readBlob")).toBe(6);
    expect(problems.map((problem) => problem.images.map(({ image }) => image.target))).toEqual([
      [app.target.digest, sibling.target.digest],
    ]);
  });

  test("counts a blob that the runtime itself removed meanwhile, and does not report it", async () => {
    const node = nodeWith([app]);
    const images = node.images.map((image) => ({ namespace: "main", image }));
    const { name } = { name: "example.org/0:1" };
    await node.runtime.removeName("main", name, app.target.digest);
    await node.runtime.collect();

    const result = await verifyImages({ ...base(node), images });

    expect(result).toMatchObject({ problems: [], blobs: 0 });
    expect(result.collected).toBeGreaterThan(0);
  });

  test("reports bytes that cannot be read, and goes on", async () => {
    const node = nodeWith([app]);
    node.runtime.beforeNext("readBlob", () => {});
    node.runtime.failNext("readBlob", new RuntimeError("internal", "read content", "input/output error"));

    const { problems, blobs } = await verify(node);

    expect(problems.map(summary)).toEqual([{ digest: app.manifest.digest, role: "manifest", problem: "unreadable" }]);
    expect(blobs).toBe(4);
  });

  test("stops with an error when the runtime cannot be asked any more", async () => {
    const node = nodeWith([app]);
    node.runtime.failNext("readBlob", new RuntimeError("unavailable", "read content", "the daemon stopped"));

    const verifying = verify(node);

    await expect(verifying).rejects.toMatchObject({ code: "unavailable" });
  });

  test("keeps to the rate that it is given", async () => {
    const node = nodeWith([app]);
    const clock = countingClock();

    await verifyImages({ ...base(node), clock, rate: 100 });

    expect(clock.slept()).toBeGreaterThan((bytesOf(app) / 100) * 1_000 - 200);
    expect(clock.slept()).toBeLessThan((bytesOf(app) / 100) * 1_000 + 200);
  });

  test("tells its progress up to the last byte", async () => {
    const node = nodeWith([app]);
    const seen: number[] = [];

    await verifyImages({
      ...base(node),
      onProgress: ({ readBytes, totalBytes }) => seen.push(totalBytes - readBytes),
    });

    expect(seen.at(-1)).toBe(0);
  });
});

interface TestNode {
  readonly runtime: EmbeddedRuntime;
  readonly images: readonly Image[];
}

interface NodeOptions {
  /** Blobs whose bytes are gone. */
  readonly without?: readonly Digest[];
  /** Blobs that the runtime does not know any more. */
  readonly unknown?: readonly Digest[];
  /** True: the images are unpacked. */
  readonly snapshots?: boolean;
  /** IDs of the images, where they are not those of single-platform images. */
  readonly ids?: readonly Digest[];
}

/** A node in memory with these images and their real content. */
function nodeWith(stored: readonly Storable[], options: NodeOptions = {}): TestNode {
  const { without = [], unknown = [], snapshots = true, ids = [] } = options;
  const runtime = createEmbeddedRuntime(nodeOf());
  const images = stored.map((one, i): Image => {
    const blobs = one.blobs.map(({ descriptor: { digest, size } }) => ({ digest, size }));
    const id = ids[i] ?? configOf(one) ?? one.target.digest;
    return {
      target: one.target.digest,
      id,
      digests: [...new Set([one.target.digest, id])],
      pinned: false,
      blobs: blobs.filter(({ digest }) => !unknown.includes(digest)),
      snapshots: snapshots ? [{ key: `overlayfs/${i}`, size: 1 }] : [],
    };
  });
  for (const [i, image] of images.entries()) runtime.addImage("main", image, [`example.org/${i}:1`]);
  for (const { blobs } of stored) {
    for (const { descriptor, bytes } of blobs) {
      if (!without.includes(descriptor.digest)) runtime.putContent(descriptor.digest, bytes);
    }
  }
  return { runtime, images };
}

function base({ runtime, images }: TestNode): VerifyInput {
  const clock = { elapsed: () => 0, sleep: async () => {} };
  return { images: images.map((image) => ({ namespace: "main", image })), runtime, clock };
}

function verify(node: TestNode) {
  return verifyImages(base(node));
}

function configOf(image: Storable): Digest | undefined {
  return "config" in image ? (image as BuiltImage).config.digest : undefined;
}

function layerDigest(at: number): Digest {
  const layer = layers[at];
  if (layer === undefined) throw new Error(`no layer ${at}`);
  return layer.blob.descriptor.digest;
}

function contentOf(image: Storable, digest: Digest): Uint8Array {
  const blob = image.blobs.find(({ descriptor }) => descriptor.digest === digest);
  if (blob === undefined) throw new Error(`no blob ${digest}`);
  return blob.bytes;
}

function sizeIn(image: Storable, digest: Digest): number {
  return contentOf(image, digest).length;
}

function bytesOf(image: Storable): number {
  return image.blobs.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function summary({ digest, role, problem }: BlobProblem) {
  return { digest, role, problem };
}

/** A clock whose time passes only in sleep. */
function countingClock() {
  let now = 0;
  return {
    elapsed: () => now,
    sleep: async (milliseconds: number) => {
      now += milliseconds;
    },
    slept: () => now,
  };
}
