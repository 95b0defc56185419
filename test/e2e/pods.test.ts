// On a Kubernetes node: images pulled through CRI, pods from an API server, every spelling that a pod can hold.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hexOf } from "../../src/image/digest.ts";
import { type ApiServer, startApiServer } from "../support/api-server/api-server.ts";
import { wirePod } from "../support/api-server/pod.ts";
import { type CriNode, describeCriNodes } from "../support/e2e-node.ts";
import { reasonCodes } from "../support/e2e-report.ts";
import { busyboxImage } from "../support/oci/busybox.ts";
import { type BuiltImage, hostPlatform } from "../support/oci/image.ts";
import { buildLayer } from "../support/oci/layer.ts";
import { type BuiltIndex, buildIndex } from "../support/oci/multi-platform.ts";
import { pushImage } from "../support/oci/push.ts";

const otherArchitecture = hostPlatform.architecture === "arm64" ? "amd64" : "arm64";

/** An image of its own for each case, so that IDs tell the cases apart. */
interface Built {
  readonly here: BuiltImage;
  readonly index: BuiltIndex;
}

interface Names {
  /** `<registry>/pods/<case>` */
  readonly repository: string;
  readonly built: Built;
}

interface Case {
  readonly what: string;
  readonly spelled: (names: Names) => string;
  /** The tags of the image that stay, of `1` and `2`. */
  readonly tags: readonly string[];
}

// Expected by the rules for names that CRI manages: what is spelled stays; else the last tag; digest references stay with
// a tag of their repository or by themselves when they are spelled; the ID name stays with the image.
const cases: readonly Case[] = [
  { what: "the tag", spelled: ({ repository }) => `${repository}:1`, tags: ["1"] },
  { what: "repo@index", spelled: ({ repository, built }) => `${repository}@${built.index.target.digest}`, tags: [] },
  {
    what: "repo@manifest",
    spelled: ({ repository, built }) => `${repository}@${built.here.manifest.digest}`,
    tags: ["2"],
  },
  {
    what: "repo:tag@index",
    spelled: ({ repository, built }) => `${repository}:1@${built.index.target.digest}`,
    tags: ["1"],
  },
  { what: "the full image ID", spelled: ({ built }) => built.here.config.digest, tags: ["2"] },
  { what: "the ID without sha256:", spelled: ({ built }) => hexOf(built.here.config.digest), tags: ["2"] },
  { what: "8 digits of the ID", spelled: ({ built }) => hexOf(built.here.config.digest).slice(0, 8), tags: ["2"] },
  { what: "the manifest digest", spelled: ({ built }) => built.here.manifest.digest, tags: ["2"] },
  { what: "the index digest", spelled: ({ built }) => built.index.target.digest, tags: ["2"] },
];

/** A kubelet can find these itself; the others are honoured, but CRI does not look images up that way. */
const unknownToCri = ["repo@manifest", "the manifest digest", "the index digest"];

describeCriNodes("images of pods", (node) => {
  let api: ApiServer;
  let flags: readonly string[];
  const all = cases.map((one, i) => ({ ...one, number: i, built: build(`pod-${i}`) }));
  const namesOf = (one: (typeof all)[number]): Names => ({
    repository: `${node().registry.host}/pods/case-${one.number}`,
    built: one.built,
  });

  beforeAll(async () => {
    api = await startApiServer();
    flags = kubernetesFlags(node(), api);
    for (const one of all) await pull(node(), namesOf(one), ["1", "2"]);
  });
  afterAll(() => api?.close());

  test("stay by the names that the pods ask for, scheduled but not started, in one round", async () => {
    api.setPods(
      all.map((one) => wirePod(`case-${one.number}`, { images: [one.spelled(namesOf(one))], phase: "Pending" })),
    );

    const report = await node().prune(flags);

    expect(report).toMatchObject({ failed: [], deleted: [], leftAlone: [], reclaimedBytes: 0 });
    const spare = all.reduce((sum, { tags }) => sum + 2 - tags.length, 0);
    expect(report.untagged).toHaveLength(spare);
  });

  describe("a pod's image spelled as", () => {
    test.each(all)("$what keeps tags $tags, its digest reference and its ID", async (one) => {
      const names = namesOf(one);
      const { repository, built } = names;

      const stored = (await node().names("k8s.io")).filter(
        (name) =>
          name.startsWith(`${repository}:`) || name.startsWith(`${repository}@`) || name === built.here.config.digest,
      );

      const expected = [...one.tags.map((tag) => `${repository}:${tag}`), `${repository}@${built.index.target.digest}`];
      expect(stored).toEqual([...expected, built.here.config.digest].sort());
    });

    test.each(all.filter(({ what }) => !unknownToCri.includes(what)))("$what can be run", async (one) => {
      const { cri } = node();
      const spelled = one.spelled(namesOf(one));

      const { image } = await cri.image.imageStatus({ image: { image: spelled } });
      const pod = await cri.runPod(`case-${one.number}`);
      const container = await cri.createContainer(pod, image?.id ?? "", { userSpecifiedImage: spelled });
      await cri.start(container);

      expect(image?.id).toBe(one.built.here.config.digest);
      expect((await cri.containers()).map(({ id }) => id)).toContain(container);
    });
  });

  test("leave with their pods, and take all their names along", async () => {
    const extra = { repository: `${node().registry.host}/pods/gone`, built: build("gone") };
    await pull(node(), extra, ["1"]);
    const pod = wirePod("soon-gone", { images: [`${extra.repository}:1`] });
    api.event("ADDED", pod);
    const before = await node().prune(flags);
    api.event("DELETED", pod);

    const after = await node().prune(flags);

    expect(before).toMatchObject({ untagged: [], deleted: [] });
    expect(after.deleted).toEqual([extra.built.here.config.digest]);
    expect([...after.untagged].sort()).toEqual(
      [
        `${extra.repository}:1`,
        `${extra.repository}@${extra.built.index.target.digest}`,
        extra.built.here.config.digest,
      ].sort(),
    );
  });

  test("of Docker Hub stay however short the pod writes them", async () => {
    const spellings = [
      "short-0:1",
      "library/short-1:1",
      "docker.io/short-2:1",
      "index.docker.io/library/short-3:1",
      "short-4",
    ];
    const tags = spellings.map((_, i) => (i === 4 ? ["latest", "other"] : ["1", "other"]));
    for (const [i, [wanted, other]] of tags.entries()) {
      const names = [wanted, other].map((tag) => `docker.io/library/short-${i}:${tag}`);
      await node().containerd.import(build(`short-${i}`).index, { names, namespace: "k8s.io" });
    }
    spellings.forEach((spelling, i) => {
      api.event("ADDED", wirePod(`short-${i}`, { images: [spelling], phase: "Pending" }));
    });

    const report = await node().prune(flags);

    expect(report.deleted).toEqual([]);
    expect([...report.untagged].sort()).toEqual(spellings.map((_, i) => `docker.io/library/short-${i}:other`));
  });

  test("keep the pause image as long as there is a sandbox", async () => {
    const pause = `${node().registry.host}/pause:1`;

    const report = await node().plan(flags);

    expect(reasonCodes(report, pause)).toContain("used-by-container");
  });
});

describeCriNodes("images of CRI containers that no pod of the API server explains", (node) => {
  let api: ApiServer;

  beforeAll(async () => {
    api = await startApiServer();
  });
  afterAll(() => api?.close());

  test("stay by their last tag, running or stopped, and can be run again; the pause image stays", async () => {
    const { cri, registry } = node();
    const [running, stopped] = ["running", "stopped"].map((what) => ({
      repository: `${registry.host}/lonely/${what}`,
      built: build(`lonely-${what}`),
    })) as [Names, Names];
    const pod = await cri.runPod("lonely");
    const containers: string[] = [];
    for (const names of [running, stopped]) {
      await pull(node(), names, ["1", "2"]);
      const id = names.built.here.config.digest;
      const name = names.repository.split("/").at(-1) ?? "";
      containers.push(await cri.createContainer(pod, id, { name }));
    }
    for (const container of containers) await cri.start(container);
    await cri.stop(containers[1] ?? "");

    const report = await node().prune(kubernetesFlags(node(), api));

    expect(report.deleted).toEqual([]);
    expect(report.untagged).toEqual([`${running.repository}:1`, `${stopped.repository}:1`]);
    expect(await node().names("k8s.io")).toContain(`${registry.host}/pause:1`);
    for (const names of [running, stopped]) {
      const { image } = await cri.image.imageStatus({ image: { image: `${names.repository}:2` } });
      const again = await cri.createContainer(pod, image?.id ?? "", {
        name: `again-${names.repository.split("/").at(-1)}`,
      });
      expect(again).not.toBe("");
    }
  });

  test("keep all names when nobody tells which ones are needed", async () => {
    const { cri, registry } = node();
    const names = { repository: `${registry.host}/lonely/blind`, built: build("lonely-blind") };
    await pull(node(), names, ["1", "2"]);
    const pod = await cri.runPod("blind");
    await cri.createContainer(pod, names.built.here.config.digest);

    const report = await node().prune(["--pods", "none"]);

    expect(report.untagged.filter((name) => name.startsWith(names.repository))).toEqual([]);
    expect(reasonCodes(report, `${names.repository}:1`)).toContain("no-pod-source");
  });
});

/** With a layer of its own: a sandbox protects every image whose layers it may stand on. */
function build(label: string): Built {
  const description = { labels: { case: label }, layers: [buildLayer({ "etc/case": `${label}\n` })] };
  const here = busyboxImage(description);
  const elsewhere = busyboxImage({ ...description, platform: { os: "linux", architecture: otherArchitecture } });
  return { here, index: buildIndex([here, elsewhere], { leaveOut: [elsewhere] }) };
}

/** Pushes the whole image and pulls it by each tag, as kubelets do. */
async function pull({ registry, cri }: CriNode, { repository, built }: Names, tags: readonly string[]): Promise<void> {
  await pushImage(built.index.complete, {
    registry: registry.url,
    repository: repository.slice(registry.host.length + 1),
    tags,
  });
  for (const tag of tags) await cri.pull(`${repository}:${tag}`);
}

function kubernetesFlags(node: CriNode, api: ApiServer): readonly string[] {
  const kubeconfig = api.writeKubeconfig(`${node.folder.path}/kubeconfig`);
  return ["--kubeconfig", kubeconfig, "--node-name", "node-1"];
}
