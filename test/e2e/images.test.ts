// `images` and `inspect` on real nodes: what CRI stores for one pull, digests and platforms, compared with what ctr says.
import { expect, test } from "vitest";
import { type CriNode, describeCriNodes, describeNodes, type E2eNode } from "../support/e2e-node.ts";
import { buildImage, hostPlatform } from "../support/oci/image.ts";
import { buildLayer } from "../support/oci/layer.ts";
import { buildIndex } from "../support/oci/multi-platform.ts";
import { pushImage } from "../support/oci/push.ts";

interface Row {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  readonly id: string;
  readonly name: string;
  readonly sharedSize: number;
  readonly uniqueSize: number;
}

const base = buildLayer({ "data/base": "base ".repeat(2_000) });
const imageOf = (text: string, labels: Record<string, string> = {}) =>
  buildImage({ layers: [base, buildLayer({ "data/text": text })], labels, created: "2025-05-05T00:00:00Z" });

describeCriNodes("images that CRI pulled", (node) => {
  test("are a row a tag, and a row a reference with --digests", async () => {
    const { registry, cri } = node();
    const image = imageOf("tagged");
    const repository = `${registry.host}/tagged`;
    await pushImage(image, { registry: registry.url, repository: "tagged", tags: ["1", "2"] });
    await cri.pull(`${repository}:1`);
    await cri.pull(`${repository}:2`);

    const plain = await rowsOf(node(), repository);
    const digests = await rowsOf(node(), repository, "--digests");

    const row = { repository, digest: image.target.digest, id: image.config.digest };
    expect(plain).toMatchObject([
      { ...row, tag: "1" },
      { ...row, tag: "2" },
    ]);
    expect(digests).toMatchObject([
      { ...row, tag: "1" },
      { ...row, tag: "2" },
      { ...row, tag: "<none>" },
    ]);
  });

  test("by digest only are listed with <none> as tag and are not dangling", async () => {
    const { registry, cri } = node();
    const image = imageOf("by digest");
    const repository = `${registry.host}/by-digest`;
    await pushImage(image, { registry: registry.url, repository: "by-digest", tags: [] });
    await cri.pull(`${repository}@${image.target.digest}`);

    const rows = await rowsOf(node(), repository);
    const dangling = await rowsOf(node(), repository, "--filter", "dangling=true");

    expect(rows).toMatchObject([{ repository, tag: "<none>", digest: image.target.digest, id: image.config.digest }]);
    expect(dangling).toEqual([]);
  });

  test("whose tag moved away keep a row by digest, and inspect tells both images apart", async () => {
    const { registry, cri } = node();
    const [older, newer] = [imageOf("older", { version: "1" }), imageOf("newer", { version: "2" })];
    const repository = `${registry.host}/moved`;
    await pushImage(older, { registry: registry.url, repository: "moved", tags: ["1"] });
    await cri.pull(`${repository}:1`);
    await pushImage(newer, { registry: registry.url, repository: "moved", tags: ["1"] });
    await cri.pull(`${repository}:1`);

    const rows = await rowsOf(node(), repository);
    const byTag = await inspect(node(), `${repository}:1`);
    const byDigest = await inspect(node(), `${repository}@${older.target.digest}`);

    expect(rows).toMatchObject([
      { tag: "1", id: newer.config.digest },
      { tag: "<none>", digest: older.target.digest, id: older.config.digest },
    ]);
    expect(byTag).toMatchObject({ id: newer.config.digest, labels: { version: "2" } });
    expect(byDigest).toMatchObject({ id: older.config.digest, labels: { version: "1" } });
  });

  test("with several platforms show index, manifest and config, and what they share", async () => {
    const { registry, cri } = node();
    const here = imageOf("here");
    const elsewhere = buildImage({ layers: [base], platform: { os: "linux", architecture: "s390x" } });
    const index = buildIndex([elsewhere, here]);
    const repository = `${registry.host}/platforms`;
    await pushImage(index.complete, { registry: registry.url, repository: "platforms", tags: ["1"] });
    await cri.pull(`${repository}:1`);

    const page = await inspect(node(), `${repository}:1`);

    expect(page).toMatchObject({
      platform: `linux/${hostPlatform.architecture}`,
      createdAt: "2025-05-05T00:00:00.000Z",
    });
    expect(page["digestKinds"]).toEqual([
      { digest: index.index.digest, kind: "index" },
      { digest: here.manifest.digest, kind: "manifest" },
      { digest: here.config.digest, kind: "config" },
    ]);
    for (const word of [here.manifest.digest, here.config.digest, here.config.digest.slice(7, 19)]) {
      expect(await inspect(node(), word)).toMatchObject({ target: index.index.digest });
    }
    expect(page["sharedWith"]).not.toEqual([]);
  });
});

describeNodes("images in a plain namespace", (node) => {
  test("tell the size that is shared and the size that is not, as ctr's content says", async () => {
    const [one, two] = [imageOf("one"), imageOf("two")];
    const namespace = "shared";
    await node().containerd.import(one, { namespace, names: ["example.org/one:1"] });
    await node().containerd.import(two, { namespace, names: ["example.org/two:1"] });

    const result = await node().prunelet(["images", "--namespace", namespace, "-o", "json"]);
    const report = await node().prune(["--namespace", namespace, "--pods", "none", "--keep", "example.org/two:1"]);

    const rows = result.json() as Row[];
    expect(rows.map(({ name }) => name)).toEqual(["example.org/one:1", "example.org/two:1"]);
    expect(rows[0]?.sharedSize).toBeGreaterThanOrEqual(base.blob.descriptor.size);
    expect(report.reclaimedBytes).toBe(rows[0]?.uniqueSize);
  });
});

async function rowsOf(node: CriNode, repository: string, ...flags: readonly string[]): Promise<readonly Row[]> {
  const result = await node.prunelet(["images", repository, "-o", "json", ...flags]);
  if (result.code !== 0) throw new Error(result.stderr);
  return result.json() as Row[];
}

async function inspect(node: E2eNode, reference: string): Promise<Record<string, unknown>> {
  const result = await node.prunelet(["inspect", reference, "--pods", "none", "-o", "json"]);
  if (result.code !== 0) throw new Error(result.stderr);
  return result.json() as Record<string, unknown>;
}
