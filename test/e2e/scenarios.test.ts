// Situations of real nodes: moved tags, images in two namespaces, pins, filters, keep patterns, very many tags.
import { expect, test } from "vitest";
import { describeNodes, type E2eNode } from "../support/e2e-node.ts";
import { reasonCodes } from "../support/e2e-report.ts";
import { busyboxImage } from "../support/oci/busybox.ts";
import { buildImage } from "../support/oci/image.ts";
import { buildLayer } from "../support/oci/layer.ts";

/** A tiny image that is never run. */
const tiny = (text: string, labels: Readonly<Record<string, string>> = {}) =>
  buildImage({ layers: [buildLayer({ "data/text": text })], labels: { text, ...labels } });

describeNodes("collection on a node", (node) => {
  test("keeps an image whose tag moved away while a container runs it, and the tag that the container was spelled with", async () => {
    const [older, newer] = [busyboxImage({ labels: { version: "1" } }), busyboxImage({ labels: { version: "2" } })];
    const namespace = "moved";
    await node().containerd.import(older, { namespace, names: ["example.org/app:1", "example.org/app:old"] });
    await node().containerd.runContainer({ namespace, image: "example.org/app:1", id: "user" });
    await node().containerd.import(newer, { namespace, names: ["example.org/app:1", "example.org/app:spare"] });

    const report = await pruneNamespaces(node(), namespace);

    expect(report.untagged).toEqual(["example.org/app:spare"]);
    expect(report.deleted).toEqual([]);
    expect(await node().names(namespace)).toEqual(["example.org/app:1", "example.org/app:old"]);
  });

  test("frees in one namespace only what no other namespace holds", async () => {
    const image = tiny("shared");
    const name = "example.org/shared:1";
    await node().containerd.import(image, { namespace: "one", names: [name] });
    await node().containerd.import(image, { namespace: "two", names: [name] });
    await createContainer(node(), "two", name);

    const report = await pruneNamespaces(node(), "one");
    const again = node().containerd.ctr("-n", "two", "images", "check", `name==${name}`);

    expect(report.deleted).toEqual([image.config.digest]);
    expect(report.plannedBytes).toBe(report.reclaimedBytes);
    const blobBytes = image.blobs.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
    expect(await contentOf(node(), "two")).toEqual(expect.arrayContaining([image.target.digest, image.config.digest]));
    expect((await again).stdout).toContain(`complete (${image.blobs.length - 1}/${image.blobs.length - 1})`);
    expect(blobBytes).toBeGreaterThan(0);
    expect(await node().names("one")).toEqual([]);
    expect(await node().names("two")).toEqual([name]);
  });

  test("looks at several namespaces in one round, each with its own uses", async () => {
    const image = tiny("several");
    const name = "example.org/several:1";
    for (const namespace of ["first", "second"]) await node().containerd.import(image, { namespace, names: [name] });
    await createContainer(node(), "second", name);

    const report = await pruneNamespaces(node(), "first", "second");

    expect(report.untagged).toEqual([name]);
    expect(report.kept).toEqual([expect.objectContaining({ namespace: "second", name })]);
  });

  test("keeps pinned images", async () => {
    const namespace = "pinned";
    await node().containerd.import(tiny("pinned"), { namespace, names: ["example.org/pinned:1"] });
    await node().containerd.ctr(
      "-n",
      namespace,
      "images",
      "label",
      "example.org/pinned:1",
      "io.cri-containerd.pinned=pinned",
    );

    const report = await pruneNamespaces(node(), namespace);

    expect(report.untagged).toEqual([]);
    expect(reasonCodes(report, "example.org/pinned:1")).toEqual(["pinned"]);
  });

  test("keeps what a pattern matches", async () => {
    const namespace = "patterns";
    const image = tiny("by digest");
    await node().containerd.import(tiny("glob"), { namespace, names: ["example.org/team/a:1"] });
    await node().containerd.import(tiny("expression"), { namespace, names: ["example.org/b:release-1"] });
    await node().containerd.import(image, { namespace, names: ["example.org/c:1"] });
    await node().containerd.import(tiny("none"), { namespace, names: ["example.org/d:1"] });
    const keep = ["example.org/team/*", "/:release-/", image.config.digest].flatMap((pattern) => ["--keep", pattern]);

    const report = await node().prune(["--namespace", namespace, "--pods", "none", ...keep]);

    expect(report.untagged).toEqual(["example.org/d:1"]);
  });

  test("removes only what the filters for labels and time accept", async () => {
    const namespace = "filters";
    await node().containerd.import(tiny("plain"), { namespace, names: ["example.org/plain:1"] });
    await node().containerd.import(tiny("kept", { keep: "yes" }), { namespace, names: ["example.org/kept:1"] });
    await node().containerd.import(tiny("old", { tier: "ci" }), { namespace, names: ["example.org/old:1"] });
    const prune = (...filters: readonly string[]) =>
      node().prune(["--namespace", namespace, "--pods", "none", ...filters.flatMap((filter) => ["--filter", filter])]);

    const tooYoung = await prune("until=1h");
    const labelled = await prune("label=tier=ci", "until=0s");
    const negated = await prune("label!=keep");

    expect(tooYoung.untagged).toEqual([]);
    expect(labelled.untagged).toEqual(["example.org/old:1"]);
    expect(negated.untagged).toEqual(["example.org/plain:1"]);
    expect(await node().names(namespace)).toEqual(["example.org/kept:1"]);
  });

  test("keeps ages only when it is asked to, and then across runs", async () => {
    const namespace = "ages";
    await node().containerd.import(tiny("young"), { namespace, names: ["example.org/young:1"] });
    const state = ["--state-file", `${node().folder.path}/ages.json`];
    const prune = (...flags: readonly string[]) => node().prune(["--namespace", namespace, "--pods", "none", ...flags]);

    const unusedFor = await prune("--unused-for", "1h", ...state);
    const minAge = await prune("--min-age", "1h", ...state);
    const short = await prune("--unused-for", "1ms", ...state);

    expect(unusedFor.kept.map(({ reasons }) => reasons.map(({ code }) => code))).toEqual([["recently-used"]]);
    expect(minAge.kept.map(({ reasons }) => reasons.map(({ code }) => code))).toEqual([["too-young"]]);
    expect(short.untagged).toEqual(["example.org/young:1"]);
  });

  test("leaves the last of 200 tags on an image in use, and none of an unused one", async () => {
    const namespace = "many";
    const image = busyboxImage({ labels: { app: "many" } });
    const tags = Array.from({ length: 200 }, (_, i) => `example.org/many:${String(i).padStart(3, "0")}`);
    await node().containerd.import(image, { namespace, names: [image.config.digest, ...tags] });
    await createContainer(node(), namespace, image.config.digest);
    await node().containerd.ctr("-n", namespace, "images", "remove", image.config.digest);

    const used = await pruneNamespaces(node(), namespace);
    await node().containerd.removeContainer({ namespace, id: "user" });
    const unused = await pruneNamespaces(node(), namespace);

    expect(used.untagged).toEqual(tags.slice(0, -1));
    expect(used).toMatchObject({ deleted: [], failed: [], reclaimedBytes: 0 });
    expect(unused).toMatchObject({ untagged: [tags.at(-1)], deleted: [image.config.digest] });
    expect(unused.reclaimedBytes).toBe(unused.plannedBytes);
  });
});

function pruneNamespaces(node: E2eNode, ...namespaces: readonly string[]) {
  return node.prune([...namespaces.flatMap((namespace) => ["--namespace", namespace]), "--pods", "none"]);
}

/** A container named `user` that was never started: it uses its image all the same. */
async function createContainer({ containerd }: E2eNode, namespace: string, image: string): Promise<void> {
  await containerd.ctr("-n", namespace, "containers", "create", "--snapshotter", containerd.snapshotter, image, "user");
}

async function contentOf({ containerd }: E2eNode, namespace: string): Promise<readonly string[]> {
  const { stdout } = await containerd.ctr("-n", namespace, "content", "list", "--quiet");
  return stdout.split("\n").filter(Boolean);
}
