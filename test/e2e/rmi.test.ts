// `rmi` on real daemons: by name, digest, ID and the beginning of one, with real containers in the way.
import { expect, test } from "vitest";
import { hexOf, shortHex } from "../../src/image/digest.ts";
import type { RemovalsReport } from "../../src/report/removal-report.ts";
import { describeNodes, type E2eNode } from "../support/e2e-node.ts";
import { busyboxImage } from "../support/oci/busybox.ts";
import { buildImage } from "../support/oci/image.ts";
import { buildLayer } from "../support/oci/layer.ts";

/** A tiny image that is never run. */
const tiny = (text: string) => buildImage({ layers: [buildLayer({ "data/text": text })], labels: { text } });

describeNodes("rmi", (node) => {
  test("untags while the image has another tag and deletes it with the last, as `ctr` leaves it", async () => {
    const image = tiny("tags");
    const names = ["example.org/app:1", "example.org/app:2", `example.org/app@${image.target.digest}`];
    for (const namespace of ["tags", "twin"]) await node().containerd.import(image, { namespace, names });

    const first = await rmi(node(), "tags", "example.org/app:1");
    await node().containerd.ctr("-n", "twin", "images", "remove", "example.org/app:1");
    const between = [await node().names("tags"), await node().names("twin")];
    await node().containerd.ctr("-n", "twin", "images", "remove", "--sync", ...names.slice(1));
    const second = await rmi(node(), "tags", "example.org/app:2");

    expect(first).toMatchObject({
      code: 0,
      report: { untagged: ["example.org/app:1"], deleted: [], reclaimedBytes: 0 },
    });
    expect(between[0]).toEqual(between[1]);
    expect(second.report).toMatchObject({ untagged: names.slice(1), deleted: [image.config.digest], failed: [] });
    expect(second.report.results[0]?.removed).toEqual([
      { untagged: "example.org/app:2" },
      { untagged: names[2] },
      { deleted: image.target.digest },
    ]);
    expect(second.report.reclaimedBytes).toBeGreaterThan(0);
    expect(second.report.reclaimedBytes).toBe(second.report.plannedBytes);
    expect(await node().names("tags")).toEqual(await node().names("twin"));
    expect(await contentOf(node(), "tags")).toEqual([]);
  });

  test.each<[string, (image: ReturnType<typeof tiny>) => string]>([
    ["digest reference", (image) => `example.org/app@${image.target.digest}`],
    ["tag and digest", (image) => `example.org/app:1@${image.target.digest}`],
    ["target digest", (image) => image.target.digest],
    ["target digest without its algorithm", (image) => hexOf(image.target.digest)],
    ["beginning of the target digest", (image) => shortHex(image.target.digest)],
    ["image ID", (image) => image.config.digest],
    ["beginning of the image ID", (image) => `sha256:${shortHex(image.config.digest)}`],
  ])("deletes an image named by %s", async (what, refOf) => {
    const image = tiny(what);
    const namespace = `by-${what.replaceAll(" ", "-")}`;
    await node().containerd.import(image, { namespace, names: ["example.org/app:1"] });

    const { code, report } = await rmi(node(), namespace, refOf(image));

    expect({ code, failed: report.failed }).toEqual({ code: 0, failed: [] });
    expect(report).toMatchObject({ untagged: ["example.org/app:1"], deleted: [image.config.digest] });
    expect(await node().names(namespace)).toEqual([]);
    expect(await contentOf(node(), namespace)).toEqual([]);
  });

  test("refuses an image that a running container uses; force leaves it under a dangling name, never deletes it", async () => {
    const namespace = "running";
    const image = busyboxImage({ labels: { app: "running" } });
    const name = "example.org/running:1";
    await node().containerd.import(image, { namespace, names: [name] });
    await node().containerd.runContainer({ namespace, image: name, id: "user" });
    const [target, id] = [shortHex(image.target.digest), shortHex(image.config.digest)];

    const byName = await rmi(node(), namespace, name);
    const byId = await rmi(node(), namespace, id);
    const byIdForced = await rmi(node(), namespace, target, "--force");
    const before = await node().names(namespace);
    const byNameForced = await rmi(node(), namespace, name, "--force");
    const danglingForced = await rmi(node(), namespace, image.target.digest, "--force");

    const inUse = `unable to delete ${name} (must be forced) - container user is using its referenced image ${target}`;
    const running = `unable to delete ${target} (cannot be forced) - image is being used by running container user`;
    expect([byName, byId, byIdForced, danglingForced].map(problemOf)).toEqual([
      `conflict: ${inUse}`,
      ...[1, 2, 3].map(() => `conflict: ${running}`),
    ]);
    expect([byName, byId, byIdForced, danglingForced].map(({ code }) => code)).toEqual([1, 1, 1, 1]);
    expect(before).toEqual([name]);
    expect(byNameForced).toMatchObject({ code: 0, report: { untagged: [name], deleted: [] } });
    expect(await node().names(namespace)).toEqual([`moby-dangling@${image.target.digest}`]);
    expect((await node().containerd.ctr("-n", namespace, "tasks", "list")).stdout).toContain("RUNNING");
  });

  test("refuses an image of a stopped container, and deletes it by ID when forced", async () => {
    const namespace = "stopped";
    const image = busyboxImage({ labels: { app: "stopped" } });
    const name = "example.org/stopped:1";
    await node().containerd.import(image, { namespace, names: [name] });
    await node().containerd.runContainer({ namespace, image: name, id: "user" });
    await node().containerd.stopContainer({ namespace, id: "user" });
    const target = shortHex(image.target.digest);

    const refused = await rmi(node(), namespace, target);
    const forced = await rmi(node(), namespace, target, "--force");

    expect(problemOf(refused)).toBe(
      `conflict: unable to delete ${target} (must be forced) - image is being used by stopped container user`,
    );
    expect(forced).toMatchObject({ code: 0, report: { untagged: [name], deleted: [image.config.digest] } });
    expect(forced.report.reclaimedBytes).toBe(forced.report.plannedBytes);
    expect(await node().names(namespace)).toEqual([]);
  });

  test("goes on after a reference that fails, and each sees what the ones before it did", async () => {
    const namespace = "several";
    const [one, two] = [tiny("several one"), tiny("several two")];
    await node().containerd.import(one, { namespace, names: ["example.org/one:1", "example.org/other:1"] });
    await node().containerd.import(two, { namespace, names: ["example.org/two:1"] });
    const refs = [
      "example.org/one:1",
      "example.org/none:1",
      "Example.org/UPPER",
      one.target.digest,
      "example.org/two:1",
    ];

    const { code, report, stderr } = await rmi(node(), namespace, ...refs);

    expect(code).toBe(1);
    expect(report.results.map(({ removed, error }) => error?.reason ?? removed.length)).toEqual([
      1,
      "not_found",
      "invalid_argument",
      2,
      2,
    ]);
    expect(report.deleted).toEqual([one.config.digest, two.config.digest]);
    expect(report.reclaimedBytes).toBe(report.plannedBytes);
    expect(stderr.split("\n").filter((line) => line.startsWith("prunelet: "))).toHaveLength(2);
    expect(await node().names(namespace)).toEqual([]);
  });

  test("wants to be told the namespace when several hold the reference", async () => {
    const image = tiny("two places");
    for (const namespace of ["left", "right"]) {
      await node().containerd.import(image, { namespace, names: ["example.org/both:1"] });
    }
    await node().containerd.import(image, { namespace: "left", names: ["example.org/left:1"] });
    const both = ["--namespace", "right"];

    const unclear = await rmi(node(), "left", "example.org/both:1", ...both);
    const clear = await rmi(node(), "left", "example.org/left:1", ...both);

    expect(problemOf(unclear)).toBe(
      "ambiguous reference: example.org/both:1 is in the namespaces left, right; name one with --namespace",
    );
    expect(clear.report.untagged).toEqual(["example.org/left:1"]);
    expect(await node().names("right")).toEqual(["example.org/both:1"]);
  });
});

interface Run {
  readonly code: number | null;
  readonly stderr: string;
  readonly report: RemovalsReport;
}

async function rmi(node: E2eNode, namespace: string, ...args: readonly string[]): Promise<Run> {
  const result = await node.prunelet(["rmi", ...args, "--namespace", namespace, "--pods", "none", "-o", "json"]);
  return { code: result.code, stderr: result.stderr, report: result.json() as RemovalsReport };
}

function problemOf({ report }: Run): string | undefined {
  return report.results[0]?.error?.message;
}

async function contentOf({ containerd }: E2eNode, namespace: string): Promise<readonly string[]> {
  const { stdout } = await containerd.ctr("-n", namespace, "content", "list", "--quiet");
  return stdout.split("\n").filter(Boolean);
}
