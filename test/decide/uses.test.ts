// What counts as a use of an image, in which spelling and state, and what is done about uses that cannot be resolved.
import { describe, expect, it } from "vitest";
import { hexOf } from "../../src/image/digest.ts";
import { podOf } from "../support/fake-pods.ts";
import { containerOf, digestOf, imageOf } from "../support/node-builder.ts";
import { criNames, planScene, type Scene, staying, verdictsOf } from "../support/planned.ts";

const repo = "registry.example/app";
const app = imageOf("app");
const [tag, digestRef, id] = criNames(repo, "v1", app);
const three: Scene["names"] = [
  [tag, app],
  [digestRef, app],
  [id, app],
];
const running = containerOf("c1", { image: id, imageId: id });
const sandbox = containerOf("s1", { image: tag, imageId: id, kind: "sandbox" });
const scene = { images: [app], names: three };

describe("a use", () => {
  it.each([
    ["a tag", { image: tag, imageId: id }],
    ["an image ID", { image: id, imageId: id }],
    ["the hexadecimal digits of an ID", { image: hexOf(id), imageId: hexOf(id) }],
    ["a shortened ID", { image: hexOf(id).slice(0, 12), imageId: "" }],
    ["a shortened ID with its algorithm", { image: id.slice(0, 20), imageId: "" }],
    ["a manifest digest", { image: "", imageId: app.target }],
    ["a digest reference", { image: digestRef, imageId: "" }],
    ["tag and digest", { image: `${tag}@${app.target}`, imageId: "" }],
    ["a digest of its own, whatever it was resolved to", { image: digestRef, imageId: digestOf("other") }],
    ["an ID that was shortened when it was resolved", { image: "", imageId: hexOf(id).slice(0, 12) }],
    ["a name in the place of the ID", { image: "", imageId: tag }],
    ["a tag with a blank behind it", { image: `${tag} `, imageId: "" }],
    [
      "an image volume with a blank before it",
      { image: "other.example/x:1", imageId: digestOf("gone"), imageMounts: [` ${tag}`] },
    ],
    ["an old kubelet's scheme", { image: "", imageId: `docker-pullable://${digestRef}` }],
    ["a name alone, with no ID recorded", { image: tag, imageId: "" }],
    ["nothing but its snapshot", { image: "", imageId: "", snapshotKey: app.snapshots.at(-1)?.key ?? "" }],
    ["one of several digests", { image: "", imageId: "", otherImageIds: [digestOf("else"), app.id] }],
    ["an image volume by name", { image: "other.example/x:1", imageId: digestOf("gone"), imageMounts: [tag] }],
    ["an image volume by digest", { image: "other.example/x:1", imageId: digestOf("gone"), imageMounts: [app.target] }],
  ])("counts when a container spells it as %s", (_, container) => {
    const plan = planScene({ ...scene, containers: [containerOf("c", container)] });

    expect(plan.images[0]?.action).toBe("keep");
  });

  it("counts for the image that a container stands on as well when its spelling alone says another", () => {
    const other = imageOf("other");
    const snapshotKey = other.snapshots.at(-1)?.key ?? "";
    const names: Scene["names"] = [...three, ["registry.example/other:1", other]];
    const containers = [containerOf("c", { image: digestRef, imageId: "", snapshotKey })];

    expect(planScene({ images: [app, other], names, containers }).images.map(({ action }) => action)).toEqual([
      "keep",
      "keep",
    ]);
  });

  it.each(["created", "running", "paused", "exited", "unknown"] as const)("counts in state %s", (state) => {
    expect(planScene({ ...scene, containers: [{ ...running, state }] }).images[0]?.action).toBe("keep");
  });

  it("counts for a sandbox", () => {
    const plan = planScene({ ...scene, containers: [sandbox] });

    expect(plan.images[0]?.reasons[0]).toMatchObject({ code: "used-by-container", detail: "sandbox s1 (running)" });
  });

  it("counts when a pod's status reports it by ID", () => {
    const plan = planScene({ ...scene, pods: [podOf("p", [], { imageIds: [id] })] });

    expect(plan.images[0]?.action).toBe("keep");
  });

  it("of a name without a tag means the tag latest", () => {
    const names: Scene["names"] = [
      ["docker.io/library/nginx:latest", app],
      ["docker.io/library/nginx:1", app],
    ];

    const plan = planScene({ images: [app], names, pods: [podOf("p", ["nginx"])] });

    expect(staying(plan)).toEqual(["docker.io/library/nginx:latest"]);
  });
});

describe("an image of which nothing is known but its names", () => {
  const bare = { images: [], names: three };

  it.each([
    ["its ID", { image: hexOf(id), imageId: hexOf(id) }],
    ["its ID, and no spelling", { image: "", imageId: id }],
    ["its shortened ID", { image: hexOf(id).slice(0, 12), imageId: id }],
  ])("is used by a container that tells %s", (_, container) => {
    expect(planScene({ ...bare, containers: [containerOf("c", container)] }).images[0]?.action).toBe("keep");
  });
});

describe("a container whose image cannot be found out", () => {
  it("protects every name of the repository that it spells", () => {
    const lost = containerOf("c", { image: `${repo}:gone`, imageId: digestOf("gone") });

    const plan = planScene({ ...scene, containers: [lost] });

    expect(staying(plan)).toHaveLength(3);
  });

  it("protects a repository whose name looks like an ID", () => {
    const lost = containerOf("c", { image: "cafe", imageId: digestOf("gone") });

    const plan = planScene({ images: [app], names: [["docker.io/library/cafe:1", app]], containers: [lost] });

    expect(staying(plan)).toEqual(["docker.io/library/cafe:1"]);
  });

  it.each([
    ["names nothing at all", {}],
    ["has a snapshot that belongs to no image, and names none", { snapshotKey: "overlayfs/unknown" }],
    ["spells what nobody can read", { image: "Not A Reference" }],
    ["mounts what nobody can read", { image: tag, imageMounts: ["Not A Reference"] }],
  ])("protects the whole namespace when it %s", (_, container) => {
    const other = imageOf("other");

    const plan = planScene({
      images: [app, other],
      names: [...three, ["registry.example/other:1", other]],
      containers: [containerOf("c", container)],
    });

    expect(verdictsOf(plan).stay).toMatchObject({ "registry.example/other:1": "unresolved-container" });
  });

  it("protects the whole namespace by a reason of its own", () => {
    const plan = planScene({ ...scene, containers: [containerOf("c")] });

    expect(verdictsOf(plan).stay).toEqual({
      [tag]: "unresolved-container",
      [digestRef]: "unresolved-container",
      [id]: "unresolved-container",
    });
  });

  it.each([
    ["a digest that is cut off", "registry.example/app:v1@sha256:12"],
    ["capital letters", "registry.example/App:v1"],
  ])("protects the repository that it may mean with %s, as a pod does", (_, image) => {
    const gone = containerOf("c", { image, imageId: digestOf("gone") });

    expect(staying(planScene({ ...scene, containers: [gone] }))).toContain(tag);
    expect(staying(planScene({ ...scene, pods: [podOf("p", [image])] }))).toContain(tag);
  });

  it("leaves a warning when its spelling cannot be read", () => {
    const plan = planScene({ ...scene, containers: [containerOf("c", { image: "Not A Reference", imageId: "x" })] });

    expect(plan.warnings).toEqual([expect.stringContaining('"Not A Reference" is no image reference')]);
  });
});
