// A simulated Kubernetes node that is busy by itself: rollouts, jobs, tools pulled by hand. Its caller has the clock.
import type { Instant } from "../../image/node-state.ts";
import type { PodSource } from "../../kubernetes/pod-source.ts";
import { createEmbeddedRuntime, type EmbeddedRuntime } from "./embedded-runtime.ts";
import {
  type App,
  apps,
  pauseImage,
  pauseRepository,
  pauseTag,
  releaseImage,
  toolImage,
  toolRepositories,
  versionOf,
} from "./lively-catalog.ts";
import {
  advance,
  apiPod,
  criNamespace,
  exit,
  podName,
  pull,
  type SimulatedPod,
  scheduledPod,
} from "./lively-kubelet.ts";
import { createLivelyPods } from "./lively-pod-source.ts";
import { createRandom, type Random } from "./lively-random.ts";

export interface LivelyNodeOptions {
  /** The same seed and the same steps give the same node. */
  readonly seed: number;
  /** The moment from which the node is watched; its images are up to nine days older. */
  readonly startedAt: Instant;
}

export interface LivelyNode {
  readonly runtime: EmbeddedRuntime;
  readonly podSource: PodSource;
  /** Lets the node live on until `now` and says what happened, one line each. Call it every second or so. */
  step(now: Instant): readonly string[];
}

/** Milliseconds that a job runs. */
const jobDuration = 8_000;
const day = 24 * 3_600_000;
const gibibyte = 1024 ** 3;

export function createLivelyNode({ seed, startedAt }: LivelyNodeOptions): LivelyNode {
  let now = startedAt;
  const runtime = createEmbeddedRuntime(
    { runtime: { kind: "embedded", version: "1.0.0" }, namespaces: [], foreignBlobs: [] },
    {
      now: () => now,
      filesystem: { path: "/var/lib/embedded", capacityBytes: 12 * gibibyte, otherBytes: 3 * gibibyte },
    },
  );
  const node: Node = {
    runtime: withBuildTimes(runtime, () => now),
    random: createRandom(seed),
    pods: [],
    releases: new Map(),
    toolEdition: 1,
  };
  fill(node, startedAt, (time) => {
    now = time;
  });
  const pods = createLivelyPods();
  pods.show(node.pods.map(apiPod), startedAt);

  return {
    runtime,
    podSource: pods.source,
    step(time) {
      now = time;
      const lines = [...finishJobs(node, now), ...advanceAll(node, now), ...replaceOld(node), ...happen(node)];
      pods.show(node.pods.map(apiPod), now);
      return lines;
    },
  };
}

/** Milliseconds from the build of an image to its first pull. */
const shippingTime = 3_600_000;

/** The same runtime, in which every image was built shortly before it came to the node first, and stays as old when it comes again. */
function withBuildTimes(runtime: EmbeddedRuntime, now: () => Instant): EmbeddedRuntime {
  const builtAt = new Map<string, Instant>();
  return {
    ...runtime,
    addImage(namespace, image, names) {
      const createdAt = builtAt.get(image.target) ?? now() - shippingTime;
      builtAt.set(image.target, createdAt);
      runtime.addImage(namespace, { ...image, createdAt }, names);
    },
  };
}

interface Node {
  readonly runtime: EmbeddedRuntime;
  readonly random: Random;
  pods: SimulatedPod[];
  /** Newest release of each app that was asked for. */
  readonly releases: Map<App, number>;
  toolEdition: number;
}

/** What a node has gathered in nine days: older releases of everything, tools that nobody needs, pods of the newest. */
function fill(node: Node, startedAt: Instant, setClock: (time: Instant) => void): void {
  const { runtime, random } = node;
  setClock(startedAt - 9 * day);
  const pinned = { "io.cri-containerd.image": "managed", "io.cri-containerd.pinned": "pinned" };
  const pauseNames = [`${pauseRepository}:${pauseTag}`, `${pauseRepository}@${pauseImage.target}`, pauseImage.id];
  runtime.addImage(
    criNamespace,
    pauseImage,
    pauseNames.map((name) => ({ name, labels: pinned })),
  );
  for (const app of apps) {
    const newest = 2 + random.below(6);
    const oldest = Math.max(0, newest - 1 - random.below(3));
    for (let release = oldest; release <= newest; release++) {
      setClock(startedAt - (newest - release) * 2 * day - random.below(day));
      const image = releaseImage(app, release);
      pull(runtime, image, app.repository, versionOf(app, release));
      if (app.movingTag !== undefined) pull(runtime, image, app.repository, app.movingTag);
    }
    node.releases.set(app, newest);
    if (app.kind === "deployment") node.pods.push(scheduledPod(app, newest, random));
  }
  setClock(startedAt - 3 * day);
  for (const repository of toolRepositories) pull(runtime, toolImage(repository, 0), repository);
  setClock(startedAt);
  for (const pod of node.pods) while (pod.stage !== "running") advance(pod, runtime, startedAt);
}

function finishJobs(node: Node, now: Instant): readonly string[] {
  return node.pods
    .filter(
      (pod) => pod.app.kind === "job" && pod.stage === "running" && now - (pod.runningSince ?? now) >= jobDuration,
    )
    .map((pod) => exit(pod, node.runtime));
}

function advanceAll(node: Node, now: Instant): readonly string[] {
  const lines = node.pods.flatMap((pod) => advance(pod, node.runtime, now));
  node.pods = node.pods.filter((pod) => pod.stage !== "ended");
  return lines;
}

/** Once a new release runs, the pods of older ones are told to stop. */
function replaceOld(node: Node): readonly string[] {
  const replaced = node.pods.filter(
    (old) =>
      old.stage === "running" &&
      old.app.kind === "deployment" &&
      node.pods.some((pod) => pod.app === old.app && pod.release > old.release && pod.stage === "running"),
  );
  for (const pod of replaced) pod.stage = "stopping";
  return replaced.map((pod) => `stopping ${podName(pod)}: a newer release runs`);
}

/** Starts something new now and then. */
function happen(node: Node): readonly string[] {
  const { random } = node;
  const dice = random.below(100);
  if (dice < 18) return rollOut(node);
  if (dice < 30) return startJob(node);
  if (dice < 34) return pullTool(node);
  return [];
}

function rollOut(node: Node): readonly string[] {
  const settled = apps.filter(
    (app) =>
      app.kind === "deployment" && node.pods.filter((pod) => pod.app === app).every((pod) => pod.stage === "running"),
  );
  const app = node.random.pick(settled);
  if (app === undefined) return [];
  const release = (node.releases.get(app) ?? 0) + 1;
  node.releases.set(app, release);
  node.pods.push(scheduledPod(app, release, node.random));
  return [`rolling out ${app.namespace}/${app.name} ${versionOf(app, release)}`];
}

function startJob(node: Node): readonly string[] {
  const app = node.random.pick(apps.filter((one) => one.kind === "job"));
  if (app === undefined || node.pods.some((pod) => pod.app === app)) return [];
  // A job's image is rebuilt now and then, not for every run.
  const release = (node.releases.get(app) ?? 0) + (node.random.chance(0.3) ? 1 : 0);
  node.releases.set(app, release);
  const pod = scheduledPod(app, release, node.random);
  node.pods.push(pod);
  return [`scheduled job ${podName(pod)}`];
}

function pullTool(node: Node): readonly string[] {
  const repository = node.random.pick(toolRepositories);
  if (repository === undefined) return [];
  const edition = node.toolEdition++;
  const tag = node.random.chance(0.5) ? "latest" : undefined;
  const image = toolImage(repository, edition);
  pull(node.runtime, image, repository, tag);
  return [`somebody pulled ${repository}${tag === undefined ? `@${image.target}` : `:${tag}`} by hand`];
}
