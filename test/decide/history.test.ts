// What is remembered between rounds: first sights and last uses.
import { describe, expect, it } from "vitest";
import { emptyHistory, type History, recordUses } from "../../src/decide/history.ts";
import { makePlan } from "../../src/decide/plan.ts";
import { removeAllUnused } from "../../src/decide/policy.ts";
import type { NodeState, Pod } from "../../src/image/node-state.ts";
import { podOf } from "../support/fake-pods.ts";
import { imageOf, nameOf, namespaceOf, nodeOf } from "../support/node-builder.ts";

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
