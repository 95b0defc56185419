// The team's prune scenarios: strict form is what prunelet does, compat form is what the reference implementation does.
import { describe, expect, it } from "vitest";
import { emptyHistory } from "../../src/decide/history.ts";
import { parsePattern } from "../../src/decide/image-pattern.ts";
import { makePlan, type Plan } from "../../src/decide/plan.ts";
import { removeAllUnused, type Semantics } from "../../src/decide/policy.ts";
import type { Digest } from "../../src/image/digest.ts";
import type { Image, NodeState } from "../../src/image/node-state.ts";
import vectors from "../vectors/prune-containerd.json" with { type: "json" };

type Vector = (typeof vectors)[number];

describe.each(["strict", "compat"] as const)("prune scenarios in %s form", (semantics) => {
  it.each(vectors.map((vector) => [`${vector.id}: ${vector.title}`, vector] as const))("%s", (_, vector) => {
    const survivors: string[] = vector[semantics].survivors;

    const plan = planOf(vector, semantics);

    expect(outcomeOf(plan)).toEqual({
      untagged: vector.records
        .map((r) => r.name)
        .filter((name) => !survivors.includes(name))
        .sort(),
      deleted: vector[semantics].deleted.toSorted(),
      survivors: survivors.toSorted(),
    });
  });
});

function planOf(vector: Vector, semantics: Semantics): Plan {
  const keep = vector.records
    .filter((r) => !r.filterAccepts)
    .map((r) => parsePattern(`/^${r.name.replaceAll("/", "\\/")}$/`));
  return makePlan({
    state: stateOf(vector),
    history: emptyHistory("record-time"),
    policy: { ...removeAllUnused, semantics, danglingOnly: vector.danglingOnly, keep },
  });
}

function stateOf(vector: Vector): NodeState {
  const targets = [...new Set(vector.records.map((record) => record.target as Digest))];
  const configs = Object.entries(vector.configToTarget as Record<string, string>);
  const images = targets.map((target): Image => {
    const own = configs.filter(([, t]) => t === target).map(([config]) => config as Digest);
    return { target, id: target, digests: [target, ...own], pinned: false, blobs: [], snapshots: [] };
  });
  const containers = vector.containers.map((container, i) => ({
    id: `c${i}`,
    image: container.spelling,
    imageId: container.resolved,
    otherImageIds: [],
    state: container.running ? ("running" as const) : ("exited" as const),
    kind: "container" as const,
    snapshotKey: "",
    imageMounts: container.imageMount === null ? [] : [container.imageMount as string],
  }));
  const names = vector.records.map((r) => ({ name: r.name, target: r.target as Digest, labels: {} }));
  const namespace = { name: "default", names, images, containers, held: { blobs: [], snapshots: [] } };
  return {
    takenAt: 0,
    runtime: { kind: "embedded", version: "1" },
    namespaces: [namespace],
    foreignBlobs: [],
    pods: null,
  };
}

function outcomeOf(plan: Plan) {
  const verdicts = plan.images.flatMap((image) => image.names);
  return {
    untagged: verdicts
      .filter((v) => v.action === "untag")
      .map((v) => v.name)
      .sort(),
    deleted: plan.images
      .filter((v) => v.action === "delete")
      .map((v) => v.image.target as string)
      .sort(),
    survivors: verdicts
      .filter((v) => v.action === "keep")
      .map((v) => v.name)
      .sort(),
  };
}
