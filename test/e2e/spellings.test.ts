// Whatever a container was told about its image protects that image, on namespaces that CRI does not manage.
import { expect, test } from "vitest";
import { hexOf } from "../../src/image/digest.ts";
import { describeNodes, type E2eNode } from "../support/e2e-node.ts";
import { busyboxImage } from "../support/oci/busybox.ts";
import { hostPlatform } from "../support/oci/image.ts";
import { buildIndex } from "../support/oci/multi-platform.ts";

const app = busyboxImage({ labels: { app: "spellings" } });
const otherArchitecture = hostPlatform.architecture === "arm64" ? "amd64" : "arm64";
const elsewhere = busyboxImage({ platform: { os: "linux", architecture: otherArchitecture } });
const multi = buildIndex([app, elsewhere], { leaveOut: [elsewhere] });

const repository = "docker.io/library/app";
const [tagA, tagLatest] = [`${repository}:a`, `${repository}:latest`];
const { index, manifest, config } = {
  index: multi.target.digest,
  manifest: app.manifest.digest,
  config: app.config.digest,
};

interface Case {
  readonly what: string;
  readonly spelling: string;
  /** Of the tags `a` and `latest`, the one that stays. */
  readonly stays: string;
}

// Which tag stays follows the reference behaviour: the one that is spelled, else the last in byte order.
const spellings: readonly Case[] = [
  { what: "a short tag", spelling: "app:a", stays: tagA },
  { what: "no tag at all", spelling: "app", stays: tagLatest },
  { what: "a fully qualified tag", spelling: tagA, stays: tagA },
  { what: "the domain's old name", spelling: "index.docker.io/app:a", stays: tagA },
  { what: "repo@index", spelling: `app@${index}`, stays: tagLatest },
  { what: "repo@manifest", spelling: `app@${manifest}`, stays: tagLatest },
  { what: "repo:tag@index", spelling: `app:a@${index}`, stays: tagA },
  { what: "repo:tag@manifest", spelling: `app:a@${manifest}`, stays: tagA },
  { what: "the full index digest", spelling: index, stays: tagLatest },
  { what: "the index digest without sha256:", spelling: hexOf(index), stays: tagLatest },
  { what: "8 digits of the index digest", spelling: hexOf(index).slice(0, 8), stays: tagLatest },
  { what: "the manifest digest", spelling: manifest, stays: tagLatest },
  { what: "8 digits of the manifest digest", spelling: hexOf(manifest).slice(0, 8), stays: tagLatest },
  { what: "the full image ID", spelling: config, stays: tagLatest },
  { what: "the image ID without sha256:", spelling: hexOf(config), stays: tagLatest },
  { what: "8 digits of the image ID", spelling: hexOf(config).slice(0, 8), stays: tagLatest },
];

/** The rules for stopped containers are the same: one spelling of each form is enough to see that they are counted. */
const whenStopped = spellings.filter(({ spelling }) =>
  [tagA, "app", `app@${index}`, `app:a@${manifest}`, config, hexOf(config), hexOf(index).slice(0, 8)].includes(
    spelling,
  ),
);

describeNodes("a container's image, however it is spelled", (node) => {
  const running = spellings.map((one, i) => ({ ...one, namespace: `running-${i}`, state: "running" }));
  const stopped = whenStopped.map((one, i) => ({ ...one, namespace: `stopped-${i}`, state: "stopped" }));
  const all = [...running, ...stopped];

  test("loses only the tag that nothing needs, in one round over all namespaces", async () => {
    await inTurns(all, (one) => runSpelled(node(), one));

    const report = await node().prune([
      ...all.flatMap(({ namespace }) => ["--namespace", namespace]),
      "--pods",
      "none",
    ]);

    expect(report).toMatchObject({ failed: [], deleted: [], leftAlone: [], reclaimedBytes: 0 });
    expect(report.untagged).toHaveLength(all.length);
  });

  test.each(all)("spelled as $what by a $state container, it keeps its tag and can be run again", async (one) => {
    const { namespace, stays, state } = one;

    const names = await node().names(namespace);
    const stateAfterwards = await stateOf(node(), namespace, "user");
    const another = node().containerd.ctr(
      "-n",
      namespace,
      "containers",
      "create",
      ...snapshotter(node()),
      stays,
      "again",
    );

    expect(names).toEqual([stays]);
    expect(stateAfterwards).toBe(state);
    await expect(another).resolves.toBeDefined();
  });

  test("runs again from a tag that was kept", async () => {
    await node().containerd.runContainer({ namespace: "running-0", image: tagA, id: "anew" });

    expect(await stateOf(node(), "running-0", "anew")).toBe("running");
  });
});

interface SpelledContainer {
  readonly namespace: string;
  readonly spelling: string;
  readonly state: string;
}

/** Makes a container whose record holds exactly this spelling: the name exists while it is made, as any name can. */
async function runSpelled({ containerd }: E2eNode, { namespace, spelling, state }: SpelledContainer): Promise<void> {
  const names = [...new Set([tagA, tagLatest, spelling])];
  await containerd.import(multi, { names, namespace });
  await containerd.runContainer({ namespace, image: spelling, id: "user" });
  if (state === "stopped") await containerd.stopContainer({ namespace, id: "user" });
  if (spelling !== tagA) await containerd.ctr("-n", namespace, "images", "remove", spelling);
}

function snapshotter({ containerd }: E2eNode): readonly string[] {
  return ["--snapshotter", containerd.snapshotter];
}

/** A few at a time: most of the time is spent waiting for other processes. */
async function inTurns<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all([worker(), worker(), worker()]);
}

async function stateOf({ containerd }: E2eNode, namespace: string, id: string): Promise<string> {
  const { stdout } = await containerd.ctr("-n", namespace, "tasks", "list");
  const row = stdout.split("\n").find((line) => line.startsWith(`${id} `));
  return row === undefined ? "stopped" : (row.split(/\s+/)[2] ?? "").toLowerCase();
}
