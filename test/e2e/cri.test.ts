// prunelet through CRI alone, on real containerd with running containers and pods from an API server.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RemovalsReport } from "../../src/report/removal-report.ts";
import { type ApiServer, startApiServer } from "../support/api-server/api-server.ts";
import { wirePod } from "../support/api-server/pod.ts";
import { type CriNode, describeCriNodes } from "../support/e2e-node.ts";
import { type PruneReport, reasonCodes } from "../support/e2e-report.ts";
import { busyboxImage } from "../support/oci/busybox.ts";
import type { BuiltImage } from "../support/oci/image.ts";
import { buildLayer } from "../support/oci/layer.ts";
import { pushImage } from "../support/oci/push.ts";
import { waitFor } from "../support/wait.ts";

const largeBytes = 8 << 20;

interface Pulled {
  readonly repository: string;
  readonly image: BuiltImage;
}

describeCriNodes("a node that is seen through CRI alone", (node, line) => {
  let api: ApiServer;
  let flags: readonly string[];

  beforeAll(async () => {
    api = await startApiServer();
    const kubeconfig = api.writeKubeconfig(`${node().folder.path}/kubeconfig`);
    flags = ["--runtime", "cri", "--kubeconfig", kubeconfig, "--node-name", "node-1"];
  });
  afterAll(() => api?.close());

  test("loses whole what nothing needs, keeps whole what something needs, and is told why and how much", async () => {
    const { cri, registry } = node();
    const running = await pull(node(), "running", ["1", "2"]);
    const stopped = await pull(node(), "stopped", ["1"]);
    const scheduled = await pull(node(), "scheduled", ["1", "2"]);
    const unused = await pull(node(), "unused", ["1", "2"], largeBytes);
    const pod = await cri.runPod("web");
    const container = await run(node(), pod, running, "running");
    await cri.stop(await run(node(), pod, stopped, "stopped"));
    api.setPods([
      wirePod("web", { images: [`${running.repository}:1`], phase: "Running" }),
      wirePod("next", { images: [`${scheduled.repository}:2`], phase: "Pending" }),
    ]);
    await untilCounted(node(), largeBytes);

    const report = (await node().prune(flags)) as PruneReport & { approximateBytes?: boolean };

    expect(report).toMatchObject({ failed: [], leftAlone: [], approximateBytes: true });
    expect(report.runtime).toMatchObject({ kind: "cri", version: expect.stringMatching(/^containerd \d/) });
    expect(report.deleted).toEqual([unused.image.config.digest]);
    expect([...report.untagged].sort()).toEqual(everyNameOf(unused, ["1", "2"]));
    expect(reasonCodes(report, `${running.repository}:1`)).toContain("used-by-pod");
    expect(reasonCodes(report, `${running.repository}:2`)).toEqual(["runtime-cannot-untag"]);
    expect(reasonCodes(report, `${scheduled.repository}:1`)).toEqual(["runtime-cannot-untag"]);
    expect(reasonCodes(report, `${stopped.repository}:1`)).not.toEqual([]);
    expect(reasonCodes(report, `${registry.host}/pause:1`)).toContain("used-by-container");
    // What CRI counts is the unpacked layers: the large one is gone, the busybox below it is shared.
    expect(report.reclaimedBytes).toBeGreaterThan(largeBytes / 2);
    expect(await idsOf(node())).not.toContain(unused.image.config.digest);
    expect((await cri.containers()).find(({ id }) => id === container)?.state).toBe(1);
    expect(await node().names("k8s.io")).toEqual(expect.arrayContaining([...everyNameOf(running, ["1", "2"])]));
    expect((await node().plan(flags)).deleted).toEqual([]);
  });

  test.skipIf(line !== "2.1")(
    "keeps an image that is only mounted as a volume (containerd 2.1 and later)",
    async () => {
      const model = await pull(node(), "model", ["1"]);
      const server = await pull(node(), "server", ["1"]);
      const pod = await node().cri.runPod("server");
      const options = { name: "server", imageVolumes: [model.image.config.digest], command: ["sleep", "3600"] };
      const container = await node().cri.createContainer(pod, server.image.config.digest, options);
      await node().cri.start(container);
      api.setPods([]);

      const mounted = await node().prune(flags);
      await node().cri.remove(container);
      await node().cri.removePod(pod);
      const unmounted = await node().prune(flags);

      expect(reasonCodes(mounted, `${model.repository}:1`)).toContain("used-by-image-mount");
      expect(mounted.deleted).not.toContain(model.image.config.digest);
      expect(unmounted.deleted).toEqual(
        expect.arrayContaining([model, server].map(({ image }) => image.config.digest)),
      );
    },
  );

  test("is planned in a table that says which bytes are approximate", async () => {
    await pull(node(), "table", ["1"]);
    api.setPods([]);

    const { stdout } = await node().prunelet(["plan", ...flags]);

    expect(stdout).toMatch(/delete +\S+\/cri\/table:1 .* ~\d/);
    expect(stdout).toMatch(/~[\d.]+ [KM]iB would be freed/);
  });

  describe("loses by rmi", () => {
    test("an image by its last tag or its ID, never one tag of several, never what a pod or container needs", async () => {
      const one = await pull(node(), "one", ["1"]);
      const two = await pull(node(), "two", ["1", "2"]);
      const busy = await pull(node(), "busy", ["1"]);
      const pod = await node().cri.runPod("busy");
      await run(node(), pod, busy, "busy");
      api.setPods([]);

      const lastTag = await rmi(node(), flags, `${one.repository}:1`);
      const oneTag = await rmi(node(), flags, `${two.repository}:1`, "--force");
      const used = await rmi(node(), flags, busy.image.config.digest, "--force");
      const left = await idsOf(node());
      const byId = await rmi(node(), flags, two.image.config.digest);

      expect(lastTag.report).toMatchObject({ deleted: [one.image.config.digest], failed: [] });
      expect([...lastTag.report.untagged].sort()).toEqual(everyNameOf(one, ["1"]));
      expect(oneTag.stderr).toContain(`${two.repository}:2 is the same image: remove it whole by its ID`);
      expect(used.stderr).toContain("image is being used by running container");
      expect([lastTag.code, oneTag.code, used.code, byId.code]).toEqual([0, 1, 1, 0]);
      expect(left).toEqual(expect.arrayContaining([two, busy].map(({ image }) => image.config.digest)));
      expect(left).not.toContain(one.image.config.digest);
      expect(byId.report.deleted).toEqual([two.image.config.digest]);
      expect(await idsOf(node())).not.toContain(two.image.config.digest);
    });
  });

  test("can be listed, captured and worked on as a captured node; its content cannot be verified", async () => {
    const { repository, image } = await pull(node(), "shown", ["1", "2"]);
    const file = `${node().folder.path}/node.json`;
    api.setPods([]);

    const images = await node().prunelet(["images", "--runtime", "cri", "-o", "json"]);
    const captured = await node().prunelet(["snapshot", ...flags, "--snapshot-out", file]);
    const plan = await node().prunelet(["plan", ...flags, "-o", "json"]);
    const again = await node().prunelet(["plan", "--snapshot", file, "-o", "json"]);
    const verified = await node().prunelet(["verify", ...flags]);

    expect(images.json()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          repository: repository.replace("docker.io/", ""),
          tag: "1",
          id: image.config.digest,
          platform: expect.stringMatching(/^linux\//),
        }),
      ]),
    );
    expect(captured.code).toBe(0);
    const { untagged, deleted } = plan.json() as PruneReport;
    expect(again.json()).toMatchObject({ untagged, deleted, approximateBytes: true });
    expect(verified).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^prunelet: [^\n]*CRI gives no content[^\n]*\n$/),
    });
  });
});

/** The names that CRI shows, in order. */
function everyNameOf({ repository, image }: Pulled, tags: readonly string[]): readonly string[] {
  return [...tags.map((tag) => `${repository}:${tag}`), `${repository}@${image.target.digest}`].sort();
}

/** Pushes an image with a layer of its own and pulls it by each tag, as kubelets do. */
async function pull(node: CriNode, label: string, tags: readonly string[], bytes = 0): Promise<Pulled> {
  const path = `cri/${label}`;
  const content = bytes === 0 ? `${label}\n` : label.repeat(Math.ceil(bytes / label.length));
  const image = busyboxImage({ labels: { case: label }, layers: [buildLayer({ "etc/case": content })] });
  await pushImage(image, { registry: node.registry.url, repository: path, tags });
  const repository = `${node.registry.host}/${path}`;
  for (const tag of tags) await node.cri.pull(`${repository}:${tag}`);
  return { repository, image };
}

/** Runs a container by the image's ID, as kubelets do. */
async function run(
  { cri }: CriNode,
  pod: Parameters<CriNode["cri"]["createContainer"]>[0],
  { repository, image }: Pulled,
  name: string,
): Promise<string> {
  const options = { name, userSpecifiedImage: `${repository}:1`, command: ["sleep", "3600"] };
  const container = await cri.createContainer(pod, image.config.digest, options);
  await cri.start(container);
  return container;
}

async function idsOf({ cri }: CriNode): Promise<readonly string[]> {
  return (await cri.images()).map(({ id }) => id);
}

/** containerd counts every 10 s. */
async function untilCounted({ cri }: CriNode, bytes: number): Promise<void> {
  const since = Date.now();
  await waitFor(
    "containerd to count the images",
    async () => {
      const [filesystem] = (await cri.image.imageFsInfo({})).imageFilesystems;
      const countedAt = Number((filesystem?.timestamp ?? 0n) / 1_000_000n);
      return countedAt >= since && Number(filesystem?.usedBytes?.value ?? 0n) >= bytes;
    },
    { timeoutMs: 40_000, intervalMs: 200 },
  );
}

async function rmi(node: CriNode, flags: readonly string[], ...rest: readonly string[]) {
  const result = await node.prunelet(["rmi", ...flags, ...rest, "-o", "json"]);
  return { ...result, report: result.json() as RemovalsReport };
}
