// The rules for names that CRI manages: which of an image's names stay when something uses it, or nothing does.
import { describe, expect, it } from "vitest";
import { podOf } from "../support/fake-pods.ts";
import { containerOf, digestOf, imageOf } from "../support/node-builder.ts";
import { criNames, going, planScene, type Scene, staying, verdictsOf } from "../support/planned.ts";

const repo = "registry.example/app";
const app = imageOf("app");
const newer = imageOf("newer");
const [tag, digestRef, id] = criNames(repo, "v1", app);
const three: Scene["names"] = [
  [tag, app],
  [digestRef, app],
  [id, app],
];
const running = containerOf("c1", { image: id, imageId: id });
const scene = { images: [app], names: three };

describe("an image that nothing uses", () => {
  it("goes with all three names, the ID name last", () => {
    const plan = planScene(scene);

    expect(plan.images[0]?.action).toBe("delete");
    expect(plan.images[0]?.names.map(({ name }) => name)).toEqual([tag, digestRef, id]);
    expect(verdictsOf(plan).go).toEqual({ [tag]: "unused", [digestRef]: "unused", [id]: "unused" });
  });

  it.each(["Succeeded", "Failed"])("goes although a pod of phase %s asks for it", (phase) => {
    expect(going(planScene({ ...scene, pods: [podOf("done", [tag], { phase, imageIds: [id] })] }))).toHaveLength(3);
  });

  it("goes when a pod uses another tag of the repository on another image", () => {
    const plan = planScene({
      images: [app, newer],
      names: [...three, [`${repo}:v2`, newer]],
      pods: [podOf("p", [`${repo}:v2`])],
    });

    expect(staying(plan)).toEqual([`${repo}:v2`]);
  });

  it("goes when it has a digest reference and no tag: digest references keep no image alive", () => {
    const plan = planScene({
      images: [app],
      names: [
        [digestRef, app],
        [id, app],
      ],
    });

    expect(staying(plan)).toEqual([]);
  });
});

describe("an image that something uses", () => {
  it("keeps the tag that a pod asks for, with its digest reference and its ID name as companions", () => {
    const plan = planScene({ ...scene, containers: [running], pods: [podOf("p", [tag])] });

    expect(verdictsOf(plan)).toEqual({
      stay: { [tag]: "used-by-pod", [digestRef]: "companion-of-tag", [id]: "used-by-container" },
      go: {},
    });
  });

  it.each(["Pending", "Running", "Unknown", ""])("stays for a pod of phase %j that has no container yet", (phase) => {
    expect(staying(planScene({ ...scene, pods: [podOf("p", [tag], { phase })] }))).toHaveLength(3);
  });

  it("loses its spare tags, and the digest references of repositories that lose their last tag", () => {
    const spare = "mirror.example/app";
    const plan = planScene({
      images: [app],
      names: [...three, [`${repo}:v0`, app], [`${spare}:v1`, app], [`${spare}@${app.target}`, app]],
      containers: [running],
      pods: [podOf("p", [tag])],
    });

    expect(verdictsOf(plan).go).toEqual({
      [`${repo}:v0`]: "spare-name",
      [`${spare}:v1`]: "spare-name",
      [`${spare}@${app.target}`]: "spare-name",
    });
  });

  it("keeps a digest reference that a pod asks for, and not the tag beside it", () => {
    const plan = planScene({ ...scene, containers: [running], pods: [podOf("p", [digestRef])] });

    expect(staying(plan)).toEqual([digestRef, id].sort());
  });

  it("keeps tag and digest reference for a pod that spells both", () => {
    const plan = planScene({ ...scene, pods: [podOf("p", [`${tag}@${app.target}`])] });

    expect(staying(plan)).toEqual([tag, digestRef, id].sort());
  });

  it("keeps all its names while nobody tells which of them the pods need", () => {
    const names: Scene["names"] = [...three, [`${repo}:v0`, app]];

    const plan = planScene({ images: [app], names, containers: [running], pods: null });

    expect(verdictsOf(plan).stay).toEqual({
      [`${repo}:v0`]: "no-pod-source",
      [tag]: "no-pod-source",
      [digestRef]: "no-pod-source",
      [id]: "used-by-container",
    });
  });

  it("keeps all its names while nobody tells which of them the pods need, also when only a name of it is used", () => {
    const other = imageOf("other");
    const names: Scene["names"] = [...three, [`${repo}:v0`, other], [`${repo}:spare`, other]];
    const moved = containerOf("c", { image: `${repo}:v0`, imageId: app.id });

    const plan = planScene({ images: [app, other], names, containers: [moved], pods: null });

    expect(verdictsOf(plan).go).toEqual({});
  });

  it("goes without a pod source when no container uses it", () => {
    expect(staying(planScene({ ...scene, pods: null }))).toEqual([]);
  });

  it("keeps its last tag in byte order when it is used by ID alone", () => {
    const plan = planScene({ images: [app], names: [...three, [`${repo}:v0`, app]], containers: [running] });

    expect(verdictsOf(plan).stay).toMatchObject({ [tag]: expect.stringContaining("last-name") });
    expect(going(plan)).toEqual([`${repo}:v0`]);
  });

  it("keeps its last digest reference when it is used by ID and has no tag", () => {
    const second = `z.example/app@${app.target}`;
    const plan = planScene({
      images: [app],
      names: [
        [digestRef, app],
        [second, app],
        [id, app],
      ],
      containers: [running],
    });

    expect(staying(plan)).toEqual([id, second].sort());
  });

  it("keeps the ID name when it has no other", () => {
    expect(staying(planScene({ images: [app], names: [[id, app]], containers: [running] }))).toEqual([id]);
  });

  it("keeps the content that a container runs and the tag that moved away from it", () => {
    const plan = planScene({
      images: [app, newer],
      names: [
        [tag, newer],
        [digestRef, app],
        [id, app],
      ],
      containers: [running],
      pods: [podOf("p", [tag])],
    });

    expect(staying(plan)).toEqual([tag, digestRef, id].sort());
  });

  it("keeps both images that share the config a container runs", () => {
    const index = { ...app, target: digestOf("index"), digests: [digestOf("index"), app.id] };
    const plan = planScene({
      images: [app, index],
      names: [
        [tag, app],
        [`${repo}:v2`, index],
        [id, app],
      ],
      containers: [running],
    });

    expect(going(plan)).toEqual([]);
  });

  it("keeps the ID name, and a name to read, of an image whose ID another image in use shares", () => {
    const index = { ...app, target: digestOf("index"), digests: [digestOf("index"), app.id] };
    const plan = planScene({
      images: [app, index],
      names: [
        [tag, app],
        [`${repo}:v2`, index],
        [`${repo}:v3`, index],
        [id, index],
      ],
      pods: [podOf("p", [tag])],
    });

    expect(staying(plan)).toEqual([tag, `${repo}:v3`, id].sort());
  });

  it("is recognised by the label of its records in any namespace", () => {
    const labels = { "io.cri-containerd.image": "managed" };
    const names = three.map(([name, image]) => [name, image, { labels }] as const);

    const plan = planScene({ namespace: "moby", images: [app], names, pods: [podOf("p", [tag])] });

    expect(staying(plan)).toHaveLength(3);
  });

  it("is judged by the reference behaviour elsewhere: one name is enough, companions go", () => {
    const plan = planScene({ namespace: "default", ...scene, containers: [running] });

    expect(going(plan)).toHaveLength(2);
  });
});

describe("where only dangling images may go", () => {
  const policy = { danglingOnly: true };

  it("an unused image with a tag or a digest reference stays", () => {
    expect(verdictsOf(planScene({ ...scene, policy })).stay[tag]).toBe("not-dangling");
    expect(
      staying(
        planScene({
          images: [app],
          names: [
            [digestRef, app],
            [id, app],
          ],
          policy,
        }),
      ),
    ).toHaveLength(2);
  });

  it("an unused image with nothing but its ID name goes", () => {
    expect(going(planScene({ images: [app], names: [[id, app]], policy }))).toEqual([id]);
  });

  it("an image in use with nothing but its ID name stays", () => {
    expect(staying(planScene({ images: [app], names: [[id, app]], containers: [running], policy }))).toEqual([id]);
  });

  it("an ID name outside Kubernetes is a name like any other and stays", () => {
    expect(staying(planScene({ namespace: "default", images: [app], names: [[id, app]], policy }))).toEqual([id]);
  });
});

describe("a pinned image", () => {
  it("stays with all its names", () => {
    const plan = planScene({ ...scene, images: [{ ...app, pinned: true }] });

    expect(verdictsOf(plan).stay).toEqual({ [tag]: "pinned", [digestRef]: "pinned", [id]: "pinned" });
  });
});
