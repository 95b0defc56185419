// `docker rmi` on a real Docker Engine and our removal of the same thing on the same state: the same names and images go, in
// the same order, or the same message refuses. Numbers are those of the team's table of removals.
import { expect, test } from "vitest";
import { applyRemoval, planRemoval } from "../../src/decide/removal.ts";
import type { RemovalPlan, RemovalUse } from "../../src/decide/removal-types.ts";
import type { Digest } from "../../src/image/digest.ts";
import type { Container, NamespaceState } from "../../src/image/node-state.ts";
import { type DockerStage, describeDocker, type Scene } from "../support/daemons/docker-stage.ts";

interface Removal extends Scene {
  readonly title: string;
  readonly ref: string;
  readonly force?: boolean;
  /** What the command prints line by line, or the message with which it refuses; `{container}` is the first container. */
  readonly prints: readonly string[] | string;
}

const inUse = (name: string) =>
  `conflict: unable to delete ${name} (must be forced) - container {container} is using its referenced image {A:12}`;
const running =
  "conflict: unable to delete {A:12} (cannot be forced) - image is being used by running container {container}";
const stopped =
  "conflict: unable to delete {A:12} (must be forced) - image is being used by stopped container {container}";
const severalNames =
  "conflict: unable to delete {A:12} (must be forced) - image is referenced in multiple repositories";

const removals: readonly Removal[] = [
  { title: "D01 an unknown name", names: [], ref: "nothingthere", prints: "No such image: nothingthere:latest" },
  {
    title: "D02 an unknown tag of a known repository",
    names: [["A", "busybox:latest"]],
    ref: "busybox:noexist",
    prints: "No such image: busybox:noexist",
  },
  {
    title: "D04 the only name",
    names: [["A", "busybox:latest"]],
    ref: "busybox",
    prints: ["Untagged: busybox:latest", "Deleted: {A}"],
  },
  {
    title: "D05 the only name, in full",
    names: [["A", "busybox:latest"]],
    ref: "docker.io/library/busybox:latest",
    prints: ["Untagged: busybox:latest", "Deleted: {A}"],
  },
  {
    title: "D06 one of two repositories",
    names: [["A", "justoneref:latest", "differentrepo:latest"]],
    ref: "justoneref",
    prints: ["Untagged: justoneref:latest"],
  },
  {
    title: "D07 the last tag of a repository that has a digest reference",
    names: [["A", "reg/r:latest", "reg/r@{A}"]],
    ref: "reg/r",
    prints: ["Untagged: reg/r:latest", "Untagged: reg/r@{A}", "Deleted: {A}"],
  },
  {
    title: "D08 one of two tags of a repository that has a digest reference",
    names: [["A", "reg/r:latest", "reg/r:other", "reg/r@{A}"]],
    ref: "reg/r",
    prints: ["Untagged: reg/r:latest"],
  },
  {
    title: "D10 a digest reference beside a tag",
    names: [["A", "reg/r:latest", "reg/r@{A}"]],
    ref: "reg/r@{A}",
    prints: ["Untagged: reg/r:latest", "Untagged: reg/r@{A}", "Deleted: {A}"],
  },
  {
    title: "D11 a digest reference that no name spells",
    names: [["A", "busybox:latest"]],
    ref: "busybox@{A}",
    prints: ["Untagged: busybox:latest", "Deleted: {A}"],
  },
  {
    title: "D12 a digest reference of a repository with a tag and a name of tag and digest, beside another repository",
    names: [["A", "reg/r:latest", "reg/r:latest@{A}", "other:latest"]],
    ref: "reg/r@{A}",
    prints: ["Untagged: reg/r:latest", "Untagged: reg/r:latest@{A}"],
  },
  {
    title: "D14 a digest that only another repository has",
    names: [["A", "other:latest"]],
    ref: "reg/r@{A}",
    prints: "No such image: reg/r@{A}",
  },
  {
    title: "D15 an unknown digest",
    names: [["A", "busybox:latest"]],
    ref: "busybox@{B}",
    prints: "No such image: busybox@{B}",
  },
  {
    title: "D16 a tag with its digest",
    names: [["A", "busybox:latest"]],
    ref: "busybox:latest@{A}",
    prints: ["Untagged: busybox:latest", "Deleted: {A}"],
  },
  {
    title: "D18 a tag with the digest of another tag",
    names: [
      ["A", "busybox:v1"],
      ["B", "busybox:v2"],
    ],
    ref: "busybox:v1@{B}",
    prints: "No such image: busybox:v1@{B}",
  },
  {
    title: "D19 the full ID of an image with one tag",
    names: [["A", "busybox:latest"]],
    ref: "{A}",
    prints: ["Untagged: busybox:latest", "Deleted: {A}"],
  },
  {
    title: "D20 the full ID without algorithm",
    names: [["A", "busybox:latest"]],
    ref: "{A:hex}",
    prints: ["Untagged: busybox:latest", "Deleted: {A}"],
  },
  {
    title: "D21 the first 12 digits of the ID",
    names: [["A", "busybox:latest"]],
    ref: "{A:12}",
    prints: ["Untagged: busybox:latest", "Deleted: {A}"],
  },
  {
    title: "D22 the first 4 digits of the ID",
    names: [["A", "busybox:latest"]],
    ref: "{A:4}",
    prints: ["Untagged: busybox:latest", "Deleted: {A}"],
  },
  {
    title: "D24 the algorithm and the first 8 digits of the ID",
    names: [["A", "busybox:latest"]],
    ref: "sha256:{A:8}",
    prints: ["Untagged: busybox:latest", "Deleted: {A}"],
  },
  { title: "D25 an unknown ID", names: [["A", "busybox:latest"]], ref: "{B}", prints: "No such image: {B}" },
  {
    title: "D26 an unknown ID without algorithm",
    names: [["A", "busybox:latest"]],
    ref: "{B:hex}",
    prints: "No such image: {B}",
  },
  {
    title: "D30 a name that also begins the ID",
    names: [["A", "{A:4}:latest"]],
    ref: "{A:4}",
    prints: ["Untagged: {A:4}:latest", "Deleted: {A}"],
  },
  {
    title: "D31 a name that looks like an ID",
    names: [["A", "abcdef:latest", "busybox:1"]],
    ref: "abcdef",
    prints: ["Untagged: abcdef:latest"],
  },
  {
    title: "D32 the ID of an image in two repositories",
    names: [["A", "x:1", "y:1"]],
    ref: "{A}",
    prints: severalNames,
  },
  {
    title: "D34 the beginning of the ID of an image in two repositories, forced",
    names: [["A", "x:1", "y:1"]],
    ref: "{A:12}",
    force: true,
    prints: ["Untagged: x:1", "Untagged: y:1", "Deleted: {A}"],
  },
  {
    title: "D35 the ID of an image with two tags and a digest reference, forced",
    names: [["A", "reg/r:1", "reg/r:2", "reg/r@{A}"]],
    ref: "{A}",
    force: true,
    prints: ["Untagged: reg/r:1", "Untagged: reg/r:2", "Untagged: reg/r@{A}", "Deleted: {A}"],
  },
  {
    title: "D36 upper case",
    names: [["A", "busybox:latest"]],
    ref: "BusyBox",
    prints: "invalid reference format: repository name (library/BusyBox) must be lowercase",
  },
  {
    title: "D38 the only tag of a running container's image",
    names: [["A", "busybox:latest"]],
    containers: [{ image: "busybox", state: "running" }],
    ref: "busybox",
    prints: inUse("busybox:latest"),
  },
  {
    title: "D39 the only tag of an exited container's image",
    names: [["A", "busybox:latest"]],
    containers: [{ image: "busybox", state: "exited" }],
    ref: "busybox",
    prints: inUse("busybox:latest"),
  },
  {
    title: "D40 the only tag of a running container's image, forced",
    names: [["A", "busybox:latest"]],
    containers: [{ image: "busybox", state: "running" }],
    ref: "busybox",
    force: true,
    prints: ["Untagged: busybox:latest"],
  },
  {
    title: "D41 the only tag of a created container's image, forced",
    names: [["A", "busybox:latest"]],
    containers: [{ image: "busybox", state: "created" }],
    ref: "busybox",
    force: true,
    prints: ["Untagged: busybox:latest"],
  },
  {
    title: "D42 the tag that a running container names, of two",
    names: [["A", "busybox:a", "busybox:latest"]],
    containers: [{ image: "busybox", state: "running" }],
    ref: "busybox:latest",
    prints: ["Untagged: busybox:latest"],
  },
  {
    title: "D44 a tag with a digest reference, running container",
    names: [["A", "reg/r:1", "reg/r@{A}"]],
    containers: [{ image: "reg/r:1", state: "running" }],
    ref: "reg/r:1",
    prints: inUse("reg/r:1"),
  },
  {
    title: "D45 a tag with a digest reference, running container, forced",
    names: [["A", "reg/r:1", "reg/r@{A}"]],
    containers: [{ image: "reg/r:1", state: "running" }],
    ref: "reg/r:1",
    force: true,
    prints: ["Untagged: reg/r:1"],
  },
  {
    title: "D46 the ID of a running container's image",
    names: [["A", "busybox:latest"]],
    containers: [{ image: "busybox", state: "running" }],
    ref: "{A}",
    prints: running,
  },
  {
    title: "D47 the ID of a running container's image, forced",
    names: [["A", "busybox:latest"]],
    containers: [{ image: "busybox", state: "running" }],
    ref: "{A}",
    force: true,
    prints: running,
  },
  {
    title: "D48 the ID of a created container's image",
    names: [["A", "busybox:latest"]],
    containers: [{ image: "busybox", state: "created" }],
    ref: "{A}",
    prints: stopped,
  },
  {
    title: "D49 the ID of an exited container's image, forced",
    names: [["A", "busybox:latest"]],
    containers: [{ image: "busybox", state: "exited" }],
    ref: "{A}",
    force: true,
    prints: ["Untagged: busybox:latest", "Deleted: {A}"],
  },
  {
    title: "D51 the ID of an image in two repositories, created container",
    names: [["A", "x:1", "y:1"]],
    containers: [{ image: "x:1", state: "created" }],
    ref: "{A}",
    prints: stopped,
  },
  {
    title: "D52 the ID of an image in two repositories, running container, forced",
    names: [["A", "x:1", "y:1"]],
    containers: [{ image: "x:1", state: "running" }],
    ref: "{A:12}",
    force: true,
    prints: running,
  },
  {
    title: "D54 a digest reference that no name spells, created container",
    names: [["A", "busybox:latest"]],
    containers: [{ image: "busybox", state: "created" }],
    ref: "busybox@{A}",
    prints: stopped,
  },
  {
    title: "D55 a digest reference that no name spells, created container, forced",
    names: [["A", "busybox:latest"]],
    containers: [{ image: "busybox", state: "created" }],
    ref: "busybox@{A}",
    force: true,
    prints: ["Untagged: busybox:latest", "Deleted: {A}"],
  },
  {
    title: "D56 an image that is only mounted, by name",
    names: [
      ["A", "busybox:latest"],
      ["B", "user:1"],
    ],
    containers: [{ image: "user:1", state: "running", mount: "busybox:latest" }],
    ref: "busybox",
    prints: inUse("busybox:latest"),
  },
  {
    title: "D57 an image that is only mounted, by ID",
    names: [
      ["A", "busybox:latest"],
      ["B", "user:1"],
    ],
    containers: [{ image: "user:1", state: "running", mount: "busybox:latest" }],
    ref: "{A}",
    prints: ["Untagged: busybox:latest", "Deleted: {A}"],
  },
  { title: "D58 a dangling image, by ID", names: [], dangling: ["A"], ref: "{A}", prints: ["Deleted: {A}"] },
  {
    title: "D61 a dangling image of a created container, by ID",
    names: [],
    dangling: ["A"],
    containers: [{ image: "{A}", state: "created" }],
    ref: "{A}",
    prints: stopped,
  },
  {
    title: "a tag that moved on leaves a dangling image, which its running container keeps",
    names: [["A", "busybox:latest"]],
    containers: [{ image: "busybox", state: "running" }],
    later: [["B", "busybox:latest"]],
    ref: "{A}",
    force: true,
    prints: running,
  },
  {
    title: "D66 a parent with a child, by tag",
    names: [["A", "base:1"]],
    containers: [{ image: "base:1", state: "created" }],
    commits: ["child:1"],
    ref: "base:1",
    prints: ["Untagged: base:1", "Deleted: {A}"],
  },
  {
    title: "D62 a child with a dangling parent",
    names: [],
    dangling: ["A"],
    containers: [{ image: "{A}", state: "created" }],
    commits: ["child:1"],
    ref: "child:1",
    prints: ["Untagged: child:1", "Deleted: {child}", "Deleted: {A}"],
  },
  {
    title: "D64 a child with a parent that has a name",
    names: [["A", "base:1"]],
    containers: [{ image: "base:1", state: "created" }],
    commits: ["child:1"],
    ref: "child:1",
    prints: ["Untagged: child:1", "Deleted: {child}"],
  },
  {
    title: "D70 a tag beside the names that CRI gives",
    names: [["A", "reg/r:v1", "reg/r@{A}", "{A:config}"]],
    ref: "reg/r:v1",
    prints: ["Untagged: reg/r:v1", "Untagged: reg/r@{A}", "Untagged: {A:config}", "Deleted: {A}"],
  },
  {
    title: "a multi-platform image, by tag",
    names: [["M", "multi:1"]],
    ref: "multi:1",
    prints: ["Untagged: multi:1", "Deleted: {M}"],
  },
  {
    title: "a multi-platform image, by the digest of one platform",
    names: [["M", "multi:1"]],
    ref: "multi@{A}",
    prints: "No such image: multi@{A}",
  },
  {
    title: "a multi-platform image of a running container, by ID",
    names: [["M", "multi:1"]],
    containers: [{ image: "multi:1", state: "running" }],
    ref: "{M}",
    prints: running.replace("{A:12}", "{M:12}"),
  },
  {
    title: "D75 the ID of an image that two repositories know by digest",
    names: [["A", "reg/r@{A}", "reg/s@{A}"]],
    ref: "{A}",
    prints: severalNames,
  },
];

describeDocker("docker rmi and our removal agree", "28", (stage) => {
  test.each(removals.map((removal) => [removal.title, removal] as const))("%s", async (_, removal) => {
    await stage().set(removal);
    const before = await stage().observe();
    const ref = stage().fill(removal.ref);
    const plan = planRemoval({ ...requestOf(before), ref, force: removal.force ?? false, noPrune: false });

    const answer = await stage().docker.tryDocker("rmi", ...(removal.force ? ["--force"] : []), ref);

    const said = answer.code === 0 ? answer.stdout.trim().split("\n") : messageOf(answer.stderr);
    expect(said).toEqual(expectedOf(stage(), removal, before));
    expect(printed(plan)).toEqual(said);
    expect(applyRemoval(before.names, plan).map(({ name }) => name)).toEqual(await stage().names());
  });
});

function requestOf(state: NamespaceState) {
  return { records: state.names, containers: state.containers.flatMap((container) => usesOf(container, state)) };
}

function usesOf(container: Container, { names }: NamespaceState): RemovalUse[] {
  const { id, imageId, state, imageMounts } = container;
  const use = { id, running: state === "running" || state === "paused" };
  const mounts = imageMounts.flatMap((mount) => names.find(({ name }) => name.endsWith(mount)) ?? []);
  return [
    { ...use, target: imageId as Digest },
    ...mounts.map(({ target }): RemovalUse => ({ ...use, imageMountOf: target })),
  ];
}

/** The plan in the words of the command. */
function printed(plan: RemovalPlan): readonly string[] | string {
  if (plan.kind === "refused") return plan.message;
  return plan.report.map((entry) => ("deleted" in entry ? `Deleted: ${entry.deleted}` : `Untagged: ${entry.untagged}`));
}

function messageOf(stderr: string): string {
  return stderr.trim().replace(/^Error response from daemon: /, "");
}

/** The digest of an image made on the spot is known only now. */
function expectedOf(stage: DockerStage, { prints }: Removal, { names, containers }: NamespaceState) {
  const child = names.find(({ name }) => name === "docker.io/library/child:1")?.target ?? "";
  const container = containers[0]?.id.slice(0, 12) ?? "";
  const fill = (text: string) => stage.fill(text.replace("{child}", child).replace("{container}", container));
  return typeof prints === "string" ? fill(prints) : prints.map(fill);
}
