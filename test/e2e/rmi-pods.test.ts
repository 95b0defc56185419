// `rmi` on a Kubernetes node: pods that were only scheduled count, running containers are never overridden, CRI stays consistent.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RemovalsReport } from "../../src/report/removal-report.ts";
import { type ApiServer, startApiServer } from "../support/api-server/api-server.ts";
import { wirePod } from "../support/api-server/pod.ts";
import { type CriNode, describeCriNodes } from "../support/e2e-node.ts";
import { busyboxImage } from "../support/oci/busybox.ts";
import type { BuiltImage } from "../support/oci/image.ts";
import { buildLayer } from "../support/oci/layer.ts";
import { pushImage } from "../support/oci/push.ts";
import { waitFor } from "../support/wait.ts";

describeCriNodes("rmi on a Kubernetes node", (node) => {
  let api: ApiServer;
  let flags: readonly string[];

  beforeAll(async () => {
    api = await startApiServer();
    flags = ["--kubeconfig", api.writeKubeconfig(`${node().folder.path}/kubeconfig`), "--node-name", "node-1"];
  });
  afterAll(() => api?.close());

  test("refuses what a pod needs that was only scheduled, and says which pod; force removes all names", async () => {
    const { repository, image } = await pulled(node(), "cart", ["1", "2"]);
    const pod = { namespace: "shop", images: [`${repository}:1`], phase: "Pending" };
    api.setPods([wirePod("cart", pod)]);

    const needed = await rmi(node(), flags, `${repository}:1`);
    const byId = await rmi(node(), flags, image.config.digest);
    const spare = await rmi(node(), flags, `${repository}:2`);
    const between = await namesOf(node(), repository, image);
    const last = await rmi(node(), flags, `${repository}:1`);
    const listed = await isListed(node(), image);
    const forced = await rmi(node(), flags, `${repository}:1`, "--force");

    const needs = "(must be forced) - image is needed by pod shop/cart (Pending)";
    expect(problemOf(needed)).toBe(`conflict: unable to delete ${repository}:1 ${needs}`);
    expect(problemOf(byId)).toContain(needs);
    expect(problemOf(last)).toBe(`conflict: unable to delete ${repository}:1 ${needs}`);
    expect(needed.report.results[0]?.error).toMatchObject({ status: 409, reason: "conflict", pod: "shop/cart" });
    expect([needed.code, byId.code, spare.code, last.code, forced.code]).toEqual([1, 1, 0, 1, 0]);
    expect(spare.report.untagged).toEqual([`${repository}:2`]);
    expect(between).toEqual([`${repository}:1`, `${repository}@${image.target.digest}`, image.config.digest]);
    expect(listed).toBe(true);
    expect(forced.report.deleted).toEqual([image.config.digest]);
    expect(await namesOf(node(), repository, image)).toEqual([]);
    await waitFor("CRI to list the image no more", async () => !(await isListed(node(), image)));
  });

  test("is never forced past a running container, and makes no dangling name", async () => {
    const { repository, image } = await pulled(node(), "busy", ["1"]);
    const { cri } = node();
    const sandbox = await cri.runPod("busy");
    const container = await cri.createContainer(sandbox, image.config.digest, {
      userSpecifiedImage: `${repository}:1`,
    });
    await cri.start(container);
    api.setPods([]);

    const plain = await rmi(node(), flags, `${repository}:1`);
    const forced = await rmi(node(), flags, `${repository}:1`, "--force");
    const forcedById = await rmi(node(), flags, image.config.digest, "--force");

    const id12 = container.slice(0, 12);
    expect(problemOf(plain)).toContain(`(must be forced) - container ${id12} of pod default/busy is using`);
    for (const run of [forced, forcedById]) {
      expect(run.code).toBe(1);
      expect(problemOf(run)).toContain(`(cannot be forced) - image is being used by running container ${id12}`);
    }
    expect(await namesOf(node(), repository, image)).toHaveLength(3);
    expect((await node().names("k8s.io")).filter((name) => name.startsWith("moby-dangling@"))).toEqual([]);
  });

  test("by image ID deletes the image with its tag, its digest reference and its ID name", async () => {
    const { repository, image } = await pulled(node(), "unused", ["1"]);
    api.setPods([]);

    const { code, report } = await rmi(node(), flags, image.config.digest);

    expect(code).toBe(0);
    expect(report.untagged.toSorted()).toEqual(
      [`${repository}:1`, `${repository}@${image.target.digest}`, image.config.digest].sort(),
    );
    expect(report.deleted).toEqual([image.config.digest]);
    expect(report.reclaimedBytes).toBe(report.plannedBytes);
    await waitFor("CRI to list the image no more", async () => !(await isListed(node(), image)));
  });

  test("removes nothing while the pods are not known, unless it is told to go without and forced", async () => {
    const { repository, image } = await pulled(node(), "blind", ["1"]);
    const blind = await startApiServer();
    const path = blind.writeKubeconfig(`${node().folder.path}/blind`);
    await blind.close();
    const deaf = ["--kubeconfig", path, "--node-name", "node-1"];

    const unknown = await rmi(node(), deaf, `${repository}:1`);
    const forced = await rmi(node(), deaf, `${repository}:1`, "--force");
    const without = await rmi(node(), [...deaf, "--pods", "none"], `${repository}:1`);
    const before = await namesOf(node(), repository, image);
    const both = await rmi(node(), [...deaf, "--pods", "none"], `${repository}:1`, "--force");

    for (const run of [unknown, forced, without]) {
      expect(run.code).toBe(1);
      expect(run.stderr).toContain("--pods none together with --force");
    }
    expect(before).toHaveLength(3);
    expect(both.code).toBe(0);
    expect(await namesOf(node(), repository, image)).toEqual([]);
  });
});

interface Run {
  readonly code: number | null;
  readonly stderr: string;
  readonly report: RemovalsReport;
}

async function rmi(node: CriNode, flags: readonly string[], ...args: readonly string[]): Promise<Run> {
  const result = await node.prunelet(["rmi", ...args, ...flags, "-o", "json"]);
  const report = result.stdout === "" ? noReport : (result.json() as RemovalsReport);
  return { code: result.code, stderr: result.stderr, report };
}

const noReport: RemovalsReport = {
  runtime: { kind: "containerd", version: "" },
  results: [],
  untagged: [],
  deleted: [],
  failed: [],
  plannedBytes: 0,
  reclaimedBytes: 0,
  durationMs: 0,
};

function problemOf({ report }: Run): string | undefined {
  return report.results[0]?.error?.message;
}

/** An image with a layer of its own, pulled through CRI by each tag. With the layers of the pause image its uses could be meant. */
async function pulled({ registry, cri }: CriNode, what: string, tags: readonly string[]) {
  const image = busyboxImage({ layers: [buildLayer({ "data/text": what })], labels: { rmi: what } });
  const repository = `${registry.host}/rmi/${what}`;
  await pushImage(image, { registry: registry.url, repository: `rmi/${what}`, tags });
  for (const tag of tags) await cri.pull(`${repository}:${tag}`);
  return { repository, image };
}

async function namesOf(node: CriNode, repository: string, image: BuiltImage): Promise<readonly string[]> {
  const names = await node.names("k8s.io");
  return names.filter((name) => name.startsWith(repository) || name === image.config.digest);
}

/** CRI learns of removed names through events. */
async function isListed({ cri }: CriNode, image: BuiltImage): Promise<boolean> {
  const { image: found } = await cri.image.imageStatus({ image: { image: image.config.digest } });
  return found !== undefined;
}
