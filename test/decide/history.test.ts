// What is remembered between rounds: first sights and last uses.
import { describe, expect, it } from "vitest";
import { emptyHistory, type History, recordUses } from "../../src/decide/history.ts";
import { makePlan } from "../../src/decide/plan.ts";
import { removeAllUnused } from "../../src/decide/policy.ts";
import type { NodeState, Pod } from "../../src/image/node-state.ts";
import { podOf } from "../support/fake-pods.ts";
import { containerOf, imageOf, nameOf, namespaceOf, nodeOf } from "../support/node-builder.ts";

const app = imageOf("app");
const tag = "r.example/app:1";
const spare = "r.example/app:0";

describe("the history of a node", () => {
  it("sees new images and names for the first time now, and counts them as used now", () => {
    const history = roundOn(emptyHistory("just-used"), look(1_000));

    expect(sightings(history)).toEqual({ image: [1_000, 1_000], [tag]: [1_000, 1_000], [spare]: [1_000, 1_000] });
  });

  it("moves the last use of what is in use on, and of nothing else", () => {
    const before = roundOn(emptyHistory("just-used"), look(1_000));

    const history = roundOn(before, look(2_000, [podOf("p", [tag])]));

    expect(sightings(history)).toEqual({ image: [1_000, 2_000], [tag]: [1_000, 2_000], [spare]: [1_000, 1_000] });
  });

  it("counts a use by ID as a use of the image and of none of its names", () => {
    const before = roundOn(emptyHistory("just-used"), look(1_000));

    const history = roundOn(before, look(2_000, [podOf("p", [], { imageIds: [app.id] })]));

    expect(sightings(history)).toEqual({ image: [1_000, 2_000], [tag]: [1_000, 1_000], [spare]: [1_000, 1_000] });
  });

  it("remembers a namespace that is not looked at any more for thirty days", () => {
    const day = 86_400_000;
    const before = roundOn(emptyHistory("just-used"), look(1_000));
    const elsewhere = (takenAt: number) =>
      roundOn(before, nodeOf({ takenAt, pods: [], namespaces: [namespaceOf("other")] }));

    expect([...elsewhere(29 * day).namespaces.keys()]).toEqual(["k8s.io", "other"]);
    expect([...elsewhere(31 * day).namespaces.keys()]).toEqual(["other"]);
  });

  it("forgets what is gone, so that a later pull begins anew", () => {
    const before = roundOn(emptyHistory("just-used"), look(1_000));

    const gone = roundOn(before, nodeOf({ takenAt: 2_000, pods: [], namespaces: [namespaceOf("k8s.io")] }));
    const back = roundOn(gone, look(3_000));

    expect(gone.namespaces.get("k8s.io")).toEqual({ images: new Map(), names: new Map() });
    expect(sightings(back)["image"]).toEqual([3_000, 3_000]);
  });

  it("keeps what it knows of namespaces that were not looked at", () => {
    const before = roundOn(emptyHistory("just-used"), look(1_000));

    const history = roundOn(before, nodeOf({ takenAt: 2_000, namespaces: [namespaceOf("other")] }));

    expect(sightings(history)["image"]).toEqual([1_000, 1_000]);
  });

  it("counts how often a use began, and who used it last", () => {
    const pod = (namespace: string) => ({ ...podOf("p", [tag]), namespace });
    const looks: (readonly Pod[])[] = [[], [pod("ci")], [pod("ci"), pod("prod")], [], [pod("qa")], []];

    const history = looks.reduce(
      (known, pods, i) => roundOn(known, look(1_000 * (i + 1), pods)),
      emptyHistory("just-used"),
    );

    const image = history.namespaces.get("k8s.io")?.images.get(app.target);
    expect(image).toEqual({ firstSeen: 1_000, lastUsed: 5_000, timesUsed: 2, usedBy: ["qa"], inUse: false });
    expect(history.namespaces.get("k8s.io")?.names.get(tag)).toEqual(image);
    expect(history.lastLook).toBe(6_000);
  });

  it("counts a use that began between two looks when the runtime tells when its container was made", () => {
    const withContainer = (takenAt: number, createdAt: number): NodeState => {
      const containers = [containerOf("c", { imageId: app.id, pod: "ci/job", createdAt })];
      return { ...look(takenAt), namespaces: look(takenAt).namespaces.map((one) => ({ ...one, containers })) };
    };
    const states = [withContainer(1_000, 500), withContainer(2_000, 500), withContainer(3_000, 2_500)];

    const history = states.reduce(roundOn, emptyHistory("just-used"));

    expect(history.namespaces.get("k8s.io")?.images.get(app.target)).toMatchObject({ timesUsed: 2, usedBy: ["ci"] });
  });

  it("takes a last use that lies in the future, because the clock jumped back, for now", () => {
    const before = roundOn(emptyHistory("just-used"), look(9_000));

    const history = roundOn(before, look(2_000));

    expect(sightings(history)).toMatchObject({ image: [2_000, 2_000], [tag]: [2_000, 2_000] });
  });

  it("does not change the history that it was given", () => {
    const before = roundOn(emptyHistory("just-used"), look(1_000));
    const copy = structuredClone(before);

    roundOn(before, look(2_000, [podOf("p", [tag])]));

    expect(before).toEqual(copy);
  });

  it("lets an unused image go only after it was watched for long enough", () => {
    const policy = { ...removeAllUnused, unusedFor: 1_000 };
    const first = roundOn(emptyHistory("just-used"), look(1_000));
    const early = makePlan({ state: look(1_999), history: first, policy });
    const late = makePlan({ state: look(2_000), history: first, policy });

    expect([early, late].map((plan) => plan.images[0]?.action)).toEqual(["keep", "delete"]);
  });
});

function look(takenAt: number, pods: readonly Pod[] = []): NodeState {
  const names = [tag, spare].map((name) => nameOf(name, app.target));
  return nodeOf({ takenAt, pods, namespaces: [namespaceOf("k8s.io", { names, images: [app] })] });
}

function roundOn(history: History, state: NodeState): History {
  return recordUses(history, state, makePlan({ state, history, policy: removeAllUnused }).uses);
}

/** First sight and last use of the image and of each name. */
function sightings(history: History): Record<string, [number, number]> {
  const known = history.namespaces.get("k8s.io");
  const entries = [["image", known?.images.get(app.target)] as const, ...(known?.names ?? [])];
  return Object.fromEntries(entries.map(([key, seen]) => [key, [seen?.firstSeen ?? -1, seen?.lastUsed ?? -1]]));
}
