// A trace: everything that happens to a node from outside, the same for every policy. Decided by scenario and seed alone.
import type { Instant } from "../../src/image/node-state.ts";
import { Catalogue, type CataloguedImage, type Layer } from "./catalogue.ts";
import { Random } from "./random.ts";
import { days, hours, seconds } from "./units.ts";
import { bursts, cronJobs, type PodStart, pipelines, services, type Workshop } from "./workload.ts";

/** A node that restarts loses its containers; a kubelet that restarts loses its memory. */
export interface Restart {
  readonly at: Instant;
  readonly what: "node" | "kubelet";
}

export interface Trace {
  readonly seed: number;
  readonly from: Instant;
  readonly to: Instant;
  readonly images: readonly CataloguedImage[];
  readonly layers: readonly Layer[];
  /** In order of time. */
  readonly starts: readonly PodStart[];
  readonly restarts: readonly Restart[];
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly parts: (workshop: Workshop) => readonly PodStart[];
}

/** The kinds of nodes that are compared. */
export const scenarios: readonly Scenario[] = [
  {
    name: "mixed",
    title: "services, CronJobs and bursts",
    parts: (workshop) => [
      ...services(workshop, { count: 60, releaseEvery: days(3), away: hours(3) }),
      ...cronJobs(workshop, { hourly: 3, daily: 30, weekly: 20, here: 0.7 }),
      ...bursts(workshop, { every: days(2), repositories: 50, pods: [10, 35] }),
    ],
  },
  {
    name: "releases",
    title: "many releases a day",
    parts: (workshop) => [
      ...services(workshop, { count: 70, releaseEvery: hours(9), away: hours(2) }),
      ...cronJobs(workshop, { hourly: 1, daily: 8, weekly: 4, here: 0.7 }),
    ],
  },
  {
    name: "batch",
    title: "mostly CronJobs and bursts",
    parts: (workshop) => [
      ...services(workshop, { count: 12, releaseEvery: days(4), away: hours(4) }),
      ...cronJobs(workshop, { hourly: 8, daily: 80, weekly: 80, here: 0.9 }),
      ...bursts(workshop, { every: days(1), repositories: 80, pods: [15, 40] }),
    ],
  },
  {
    name: "ci",
    title: "CI pipelines",
    parts: (workshop) => [
      ...services(workshop, { count: 8, releaseEvery: days(3), away: hours(6) }),
      ...pipelines(workshop, { repositories: 30, commits: 70, tools: 14 }),
    ],
  },
];

/** A Monday. */
const traceStart = Date.UTC(2026, 0, 5);

/** The trace of a scenario. The same seed always gives the same trace. */
export function makeTrace(scenario: Scenario, seed: number, length = days(28)): Trace {
  const random = new Random(seed).fork(scenario.name);
  const [from, to] = [traceStart, traceStart + length];
  const catalogue = new Catalogue(random.fork("catalogue"), from);
  const restarts = makeRestarts(random.fork("restarts"), from, to);
  const planned = scenario.parts({ catalogue, random: random.fork("parts"), from, to });
  const starts = restarts
    .filter(({ what }) => what === "node")
    .reduce((pods, { at }) => restarted(pods, at, random.fork(`restart ${at}`)), planned)
    .toSorted((a, b) => a.at - b.at || a.image.index - b.image.index);
  return { seed, from, to, images: catalogue.images, layers: catalogue.layers, starts, restarts };
}

function makeRestarts(random: Random, from: Instant, to: Instant): readonly Restart[] {
  const restarts: Restart[] = [];
  for (let at = from + random.exponential(days(5)); at < to; at += hours(1) + random.exponential(days(5)))
    restarts.push({ at, what: random.chance(0.5) ? "node" : "kubelet" });
  return restarts;
}

/** Pods that run when the node restarts end there. Services come back within minutes, jobs run again elsewhere. */
function restarted(pods: readonly PodStart[], at: Instant, random: Random): readonly PodStart[] {
  return pods.flatMap((pod) => {
    if (pod.at >= at || pod.until <= at) return [pod];
    const back = at + seconds(random.between(40, 160));
    const again = pod.service && pod.until > back ? [{ ...pod, at: back }] : [];
    return [{ ...pod, until: at }, ...again];
  });
}
