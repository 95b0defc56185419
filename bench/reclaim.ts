// Finding the space that is needed: plans under pressure on a node whose images share their layers heavily. Pure.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { emptyHistory, type History, recordUses } from "../src/decide/history.ts";
import { makePlan, type Plan } from "../src/decide/plan.ts";
import { type Policy, removeAllUnused } from "../src/decide/policy.ts";
import type { Digest } from "../src/image/digest.ts";
import type { Image, LayerSnapshot, NodeState } from "../src/image/node-state.ts";
import { type Benchmark, type Figure, medianFigure } from "./benchmark.ts";

const imageCount = 5_000;
const layerCount = 15_000;
const hour = 3_600_000;
const now = Date.UTC(2026, 0, 1);

export const reclaim: Benchmark = {
  name: "reclaim",
  title: "Finding the space that is needed",
  async run({ quick }) {
    const state = nodeOfSharedLayers();
    const history = historyOf(state);
    const policy: Policy = { ...removeAllUnused, unusedFor: 10_000 * hour, minAge: hour };
    const all = makePlan({ state, history, policy: removeAllUnused }).plannedBytes;
    const planFor = (share: number) => (): Plan => {
      const bytes = Math.ceil(all * share);
      return makePlan({ state, history, policy, demand: { mode: "emergency", bytes, inodes: 0, because: "full" } });
    };
    const cold = timesOf(planFor(0.5), 1);
    const repeats = quick ? 5 : 25;
    return [
      medianFigure(`${imageCount} images, ${layerCount} layers, half of the space needed: first`, "ms", cold, {
        target: 2_000,
      }),
      medianFigure("the same again", "ms", timesOf(planFor(0.5), repeats), { target: 300 }),
      medianFigure("more than there is", "ms", timesOf(planFor(2), repeats), { target: 300 }),
      memoryOf(planFor(0.5)),
    ];
  },
};

function timesOf(work: () => Plan, repeats: number): readonly number[] {
  return Array.from({ length: repeats }, () => {
    const startedAt = performance.now();
    work();
    return performance.now() - startedAt;
  });
}

/** What a plan takes as long as it is kept, without the node that it is about. */
function memoryOf(work: () => Plan): Figure {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  const plan = work();
  collect();
  const value = (process.memoryUsage().heapUsed - before) / 2 ** 20;
  return { what: `memory of a plan for ${plan.images.length} images`, unit: "MiB", value };
}

/** Every image stands on a base of its family, and every layer belongs to several images: four above the base of two. */
function nodeOfSharedLayers(): NodeState {
  const images = Array.from({ length: imageCount }, (_, i) => imageNumber(i));
  const names = images.map(({ target }, i) => ({ name: `registry.example/app-${i % 100}:${i}`, target, labels: {} }));
  const held = { blobs: [], snapshots: [] };
  return {
    takenAt: now,
    runtime: { kind: "embedded", version: "bench" },
    namespaces: [{ name: "k8s.io", names, images, containers: [], held }],
    foreignBlobs: [],
    pods: [],
  };
}

function imageNumber(i: number): Image {
  const layers = [
    i % 100,
    100 + (i % 1_000),
    ...[0, 1, 2, 3].map((n) => 1_100 + ((i * 3 + n * 5) % (layerCount - 1_100))),
  ];
  const target = digestNumber(1_000_000 + i);
  const id = digestNumber(2_000_000 + i);
  const layerBlobs = layers.map((layer) => ({ digest: digestNumber(layer), size: sizeOf(layer) }));
  const snapshots = layers.map((layer, depth): LayerSnapshot => {
    const parent = layers[depth - 1];
    return {
      key: `overlayfs/${layer}`,
      size: 3 * sizeOf(layer),
      ...(parent === undefined ? {} : { parent: `overlayfs/${parent}` }),
    };
  });
  const blobs = [{ digest: target, size: 1_200 }, { digest: id, size: 6_000 }, ...layerBlobs];
  return { target, id, digests: [target, id], pinned: false, blobs, snapshots };
}

function sizeOf(layer: number): number {
  return 100_000 + ((layer * 7_919) % 30_000_000);
}

function digestNumber(number: number): Digest {
  return `sha256:${number.toString(16).padStart(64, "0")}` as Digest;
}

/** Images were used last at different times, a tenth of them at the same. */
function historyOf(state: NodeState): History {
  const seen = recordUses(emptyHistory("just-used"), state, new Map());
  const namespaces = [...seen.namespaces].map(([name, { images, names }]) => {
    const aged = [...images].map(([target, sighting], i) => {
      const lastUsed = now - (2 + ((i * 31) % 4_500)) * hour;
      return [target, { ...sighting, firstSeen: lastUsed, lastUsed }] as const;
    });
    return [
      name,
      {
        images: new Map(aged),
        names: new Map([...names].map(([key, s]) => [key, { ...s, firstSeen: 0, lastUsed: 0 }])),
      },
    ] as const;
  });
  return { ...seen, namespaces: new Map(namespaces) };
}
