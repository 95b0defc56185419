// `verify` against real content stores: files of a containerd are really altered, cut short and deleted.
import { chmodSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Digest } from "../../src/image/digest.ts";
import { startContainerd } from "../support/daemons/containerd.ts";
import { connectCri } from "../support/daemons/cri-client.ts";
import { describeDaemon } from "../support/daemons/describe-daemon.ts";
import { startRegistry } from "../support/daemons/registry.ts";
import { describeNodes, type E2eNode } from "../support/e2e-node.ts";
import { busyboxImage } from "../support/oci/busybox.ts";
import { type BuiltImage, buildImage } from "../support/oci/image.ts";
import { buildLayer } from "../support/oci/layer.ts";
import { buildIndex } from "../support/oci/multi-platform.ts";
import { pushImage } from "../support/oci/push.ts";
import { runPrunelet } from "../support/prunelet.ts";

interface Report {
  readonly images: number;
  readonly blobs: number;
  readonly bytes: number;
  readonly discarded: number;
  readonly notFetched: number;
  readonly problems: readonly {
    readonly digest: string;
    readonly role: string;
    readonly problem: string;
    readonly readBytes: number;
    readonly size: number;
    readonly foundDigest: string | null;
    readonly images: readonly {
      readonly id: string;
      readonly names: readonly string[];
      readonly containers: readonly { readonly id: string; readonly state: string }[];
    }[];
  }[];
}

describeNodes("verify", (node) => {
  test("reads a whole namespace and finds everything as its digests say", async () => {
    const image = imageOf("whole");
    await node().containerd.import(image, {
      namespace: "whole",
      names: ["example.org/whole:1", "example.org/whole:2"],
    });

    const { code, report } = await verify(node(), "whole");

    expect(report).toMatchObject({ images: 1, blobs: image.blobs.length, problems: [], discarded: 0, notFetched: 0 });
    expect(code).toBe(0);
  });

  test("reports an altered layer with the image, its names and the container that runs it", async () => {
    const image = busyboxImage({ labels: { app: "altered layer" } });
    const layer = topLayer(image);
    const namespace = "altered-layer";
    await node().containerd.import(image, { namespace, names: ["example.org/app:1", "example.org/app:2"] });
    await node().containerd.runContainer({ namespace, image: "example.org/app:1", id: "user" });
    alter(node(), layer);

    const { code, report } = await verify(node(), namespace);
    restore(node(), image, layer);

    expect(code).toBe(1);
    expect(report.problems).toEqual([expect.objectContaining({ digest: layer, role: "layer", problem: "altered" })]);
    expect(report.problems[0]?.foundDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(report.problems[0]?.images).toEqual([
      expect.objectContaining({
        id: image.config.digest,
        names: ["example.org/app:1", "example.org/app:2"],
        containers: [expect.objectContaining({ id: "user", state: "running" })],
      }),
    ]);
  });

  test("reports an altered manifest, and reads what the runtime keeps for the image all the same", async () => {
    const image = imageOf("altered manifest");
    await node().containerd.import(image, { namespace: "altered-manifest", names: ["example.org/app:1"] });
    alter(node(), image.manifest.digest);

    const { code, report } = await verify(node(), "altered-manifest");

    expect(code).toBe(1);
    expect(report).toMatchObject({ blobs: image.blobs.length });
    expect(report.problems).toMatchObject([
      {
        digest: image.manifest.digest,
        role: "manifest",
        problem: "altered",
        images: [{ names: ["example.org/app:1"] }],
      },
    ]);
  });

  test("reports a layer that is cut short and a config that is gone", async () => {
    const image = imageOf("cut");
    await node().containerd.import(image, { namespace: "cut", names: ["example.org/app:1"] });
    truncateSync(writable(node(), topLayer(image)), 7);
    rmSync(blobFile(node(), image.config.digest));

    const { code, report } = await verify(node(), "cut");

    expect(code).toBe(1);
    expect(report.problems).toHaveLength(2);
    expect(report.problems).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ digest: topLayer(image), problem: "truncated", readBytes: 7 }),
        expect.objectContaining({ digest: image.config.digest, role: "config", problem: "missing" }),
      ]),
    );
  });

  test("reads the images that it is asked for, a shared layer once, and keeps to a rate", async () => {
    const shared = buildLayer({ "data/shared": "shared".repeat(1000) });
    const one = buildImage({ layers: [shared, buildLayer({ "data/one": "one" })] });
    const two = buildImage({ layers: [shared, buildLayer({ "data/two": "two" })] });
    await node().containerd.import(one, { namespace: "some", names: ["example.org/one:1"] });
    await node().containerd.import(two, { namespace: "some", names: ["example.org/two:1"] });
    await node().containerd.import(imageOf("third"), { namespace: "some", names: ["example.org/three:1"] });
    const bytes = bytesOf([...one.blobs, ...two.blobs]);

    const references = ["example.org/one:1", two.config.digest.slice(0, 19)];
    const { code, report, tookMs } = await verify(node(), "some", ...references, "--rate", `${bytes}`);

    expect(code).toBe(0);
    expect(report).toMatchObject({ images: 2, blobs: 7, bytes, problems: [] });
    expect(tookMs).toBeGreaterThan(900);
  });

  test("does not miss a platform that was never fetched", async () => {
    const here = imageOf("index");
    const elsewhere = buildImage({
      layers: [buildLayer({ a: "b" })],
      platform: { os: "linux", architecture: "s390x" },
    });
    const index = buildIndex([elsewhere, here], { leaveOut: [elsewhere] });
    await node().containerd.import(index, { namespace: "index", names: ["example.org/index:1"] });

    const { code, report } = await verify(node(), "index");

    expect(report).toMatchObject({ blobs: index.blobs.length, notFetched: 1, problems: [] });
    expect(code).toBe(0);
  });

  test("names a reference that means no image, and reads the others", async () => {
    await node().containerd.import(imageOf("named"), { namespace: "named", names: ["example.org/named:1"] });

    const some = await verify(node(), "named", "example.org/named:1", "example.org/other:1");
    const none = await node().prunelet(["verify", "--namespace", "named", "--pods", "none", "example.org/other:1"]);

    expect(some).toMatchObject({ code: 1, report: { images: 1, problems: [] } });
    expect(some.stderr).toContain("No such image: example.org/other:1");
    expect(none).toMatchObject({ code: 1, stdout: "" });
  });

  test("says on a page for people what is wrong and whom it concerns", async () => {
    const image = imageOf("page");
    await node().containerd.import(image, { namespace: "page", names: ["example.org/page:1"] });
    alter(node(), image.config.digest);

    const result = await node().prunelet(["verify", "--namespace", "page", "--pods", "none"]);

    expect(result.code).toBe(1);
    expect(result.stdout).toContain(`altered  config ${image.config.digest}`);
    expect(result.stdout).toContain("of example.org/page:1 in page");
    expect(result.stderr).toBe("");
  });
});

describe("verify, where CRI discards layers after unpacking", () => {
  describeDaemon("on containerd 2.1", ["containerd 2.1", "registry"], () => {
    test("counts the layers and finds nothing wrong", async () => {
      const registry = await startRegistry();
      const options = { version: "2.1", cri: true, registryHost: registry.host, discardUnpackedLayers: true } as const;
      const containerd = await startContainerd(options);
      try {
        const image = imageOf("discarded");
        await pushImage(image, { registry: registry.url, repository: "app", tags: ["1"] });
        const cri = await connectCri(containerd);
        await cri.pull(`${registry.host}/app:1`);
        await cri.close();

        const args = ["verify", "--pods", "none", "--endpoint", containerd.endpoint, "-o", "json"];
        const result = await runPrunelet(args);

        expect(result.json()).toMatchObject({ blobs: 2, discarded: image.layers.length, problems: [] });
        expect(result.code).toBe(0);
      } finally {
        await containerd.stop();
        await registry.stop();
      }
    });
  });
});

async function verify(node: E2eNode, namespace: string, ...more: readonly string[]) {
  const result = await node.prunelet(["verify", "--namespace", namespace, "--pods", "none", "-o", "json", ...more]);
  return { ...result, report: result.json() as Report };
}

function imageOf(text: string): BuiltImage {
  return buildImage({ layers: [buildLayer({ "data/base": `base of ${text}` }), buildLayer({ "data/text": text })] });
}

function topLayer(image: BuiltImage): Digest {
  const layer = image.layers.at(-1);
  if (layer === undefined) throw new Error("the image has no layer");
  return layer.blob.descriptor.digest;
}

function bytesOf(blobs: readonly { descriptor: { digest: string; size: number } }[]): number {
  const sizes = new Map(blobs.map(({ descriptor }) => [descriptor.digest, descriptor.size]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

function blobFile({ containerd }: E2eNode, digest: Digest): string {
  return join(containerd.root, "io.containerd.content.v1.content/blobs", digest.replace(":", "/"));
}

/** containerd writes its blobs read-only. */
function writable(node: E2eNode, digest: Digest): string {
  const file = blobFile(node, digest);
  chmodSync(file, 0o644);
  return file;
}

/** Changes one byte in the middle. */
function alter(node: E2eNode, digest: Digest): void {
  const file = writable(node, digest);
  const bytes = readFileSync(file);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

/** Puts the blob back as it was: other namespaces see the same file. */
function restore(node: E2eNode, image: BuiltImage, digest: Digest): void {
  const blob = image.blobs.find(({ descriptor }) => descriptor.digest === digest);
  if (blob !== undefined) writeFileSync(writable(node, digest), blob.bytes);
}
