// The simulated kubelet: pulls images and carries a pod, step by step, from being scheduled to being gone.
import type { Digest } from "../../image/digest.ts";
import type { Image, Instant, Pod } from "../../image/node-state.ts";
import type { EmbeddedRuntime } from "./embedded-runtime.ts";
import { type App, blobBytes, pauseImage, releaseImage, versionOf } from "./lively-catalog.ts";
import type { Random } from "./lively-random.ts";

export const criNamespace = "k8s.io";
const managed = { "io.cri-containerd.image": "managed" };

/** A pod on the node. One step takes it from a stage to the next, except that it stays `running` until told otherwise. */
export interface SimulatedPod {
  readonly app: App;
  readonly release: number;
  readonly name: string;
  readonly uid: string;
  readonly containerId: string;
  readonly sandboxId: string;
  stage: "scheduled" | "pulled" | "running" | "stopping" | "ended";
  /** When it began to run. */
  runningSince?: Instant;
}

export function scheduledPod(app: App, release: number, random: Random): SimulatedPod {
  return {
    app,
    release,
    name: `${app.name}-${random.hex(9)}-${random.hex(5)}`,
    uid: `${random.hex(8)}-${random.hex(4)}-4${random.hex(3)}-a${random.hex(3)}-${random.hex(12)}`,
    containerId: random.hex(64),
    sandboxId: random.hex(64),
    stage: "scheduled",
  };
}

/** Pulls as CRI does: the tag, when there is one, a digest reference and the name of the image ID. */
export function pull(runtime: EmbeddedRuntime, image: Image, repository: string, tag?: string): void {
  const names = [...(tag === undefined ? [] : [`${repository}:${tag}`]), `${repository}@${image.target}`, image.id];
  runtime.addImage(
    criNamespace,
    image,
    names.map((name) => ({ name, labels: managed })),
  );
}

/** Takes a pod one stage further and says what was done; nothing when it just goes on running. */
export function advance(pod: SimulatedPod, runtime: EmbeddedRuntime, now: Instant): readonly string[] {
  switch (pod.stage) {
    case "scheduled":
      return pullFor(pod, runtime);
    case "pulled":
      return begin(pod, runtime, now);
    case "stopping":
      return end(pod, runtime);
    case "running":
    case "ended":
      return [];
  }
}

/** The container exits and stays, as that of a job does. */
export function exit(pod: SimulatedPod, runtime: EmbeddedRuntime): string {
  runtime.setContainerState(criNamespace, pod.containerId, "exited");
  pod.stage = "stopping";
  return `job ${podName(pod)} finished`;
}

/** The pod as the API server has it. */
export function apiPod(pod: SimulatedPod): Pod {
  const running = pod.stage === "running" || pod.stage === "stopping";
  const finished = pod.app.kind === "job" && pod.stage === "stopping";
  const { target } = releaseImage(pod.app, pod.release);
  return {
    namespace: pod.app.namespace,
    name: pod.name,
    uid: pod.uid,
    phase: finished ? "Succeeded" : running ? "Running" : "Pending",
    images: [`${pod.app.spelled}:${versionOf(pod.app, pod.release)}`],
    imageIds: running ? [`${pod.app.repository}@${target}`] : [],
  };
}

function pullFor(pod: SimulatedPod, runtime: EmbeddedRuntime): readonly string[] {
  pod.stage = "pulled";
  const { app } = pod;
  const version = versionOf(app, pod.release);
  const name = `${app.repository}:${version}`;
  const image = releaseImage(app, pod.release);
  if (targetOf(runtime, name) === image.target) return [`image ${name} for ${podName(pod)} is already there`];
  pull(runtime, image, app.repository, version);
  if (app.movingTag !== undefined) pull(runtime, image, app.repository, app.movingTag);
  return [`pulled ${name} (${Math.round(blobBytes(image) / 1024 ** 2)} MiB) for ${podName(pod)}`];
}

function begin(pod: SimulatedPod, runtime: EmbeddedRuntime, now: Instant): readonly string[] {
  const image = releaseImage(pod.app, pod.release);
  if (targetOf(runtime, image.id) === undefined) {
    // Somebody removed the image between the pull and the start: pull it again first, as a kubelet does.
    pod.stage = "scheduled";
    return [`image of ${podName(pod)} is gone again`];
  }
  const name = podName(pod);
  const sandbox = { id: pod.sandboxId, kind: "sandbox", image: pauseImage.id, imageId: pauseImage.id } as const;
  runtime.addContainer(criNamespace, { ...sandbox, snapshotKey: `overlayfs/${pod.sandboxId}`, pod: name });
  const container = { id: pod.containerId, image: image.id, imageId: image.id };
  runtime.addContainer(criNamespace, { ...container, snapshotKey: `overlayfs/${pod.containerId}`, pod: name });
  pod.stage = "running";
  pod.runningSince = now;
  return [`started ${name}`];
}

function end(pod: SimulatedPod, runtime: EmbeddedRuntime): readonly string[] {
  runtime.removeContainer(criNamespace, pod.containerId);
  runtime.removeContainer(criNamespace, pod.sandboxId);
  pod.stage = "ended";
  return [`removed ${podName(pod)} (${versionOf(pod.app, pod.release)})`];
}

export function podName(pod: SimulatedPod): string {
  return `${pod.app.namespace}/${pod.name}`;
}

function targetOf(runtime: EmbeddedRuntime, name: string): Digest | undefined {
  const namespace = runtime.snapshot().namespaces.find((one) => one.name === criNamespace);
  return namespace?.names.find((one) => one.name === name)?.target;
}
