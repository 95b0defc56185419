// The check right before acting: judges an image again with the containers and pods of this moment.

import { type ImageVerdict, makePlan, type Plan, type PlanInput } from "../decide/plan.ts";
import type { Digest } from "../image/digest.ts";
import type { Container, NodeState, Pod } from "../image/node-state.ts";
import type { PodSource } from "../kubernetes/pod-source.ts";
import type { Clock } from "../observe/clock.ts";
import { podsNow } from "../observe/observe-node.ts";
import type { CallOptions, ContainerRuntime } from "../runtime/runtime.ts";

/** A fresh judgement, or why none can be made. */
export type FreshVerdict =
  | { readonly kind: "judged"; readonly verdict: ImageVerdict | undefined }
  | { readonly kind: "blind"; readonly message: string };

export interface RevalidatorInput {
  readonly planned: PlanInput;
  readonly plan: Plan;
  readonly runtime: ContainerRuntime;
  readonly pods: PodSource;
  readonly clock: Clock;
  /** Milliseconds for which a list of containers counts as read right before a removal; ten times as long where reading it takes long. */
  readonly freshFor: number;
}

/**
 * Reads the containers of a namespace again, at most every `freshFor` milliseconds and whenever the runtime reports a
 * change, and makes the plan anew only when containers or pods really changed.
 */
export class Revalidator {
  readonly #input: RevalidatorInput;
  readonly #readings = new Map<string, Reading>();
  readonly #gone = new Map<string, Set<string>>();
  #verdicts: ReadonlyMap<string, ReadonlyMap<Digest, ImageVerdict>>;
  #state: NodeState;
  #hearsChanges: boolean;

  constructor(input: RevalidatorInput) {
    this.#input = input;
    this.#hearsChanges = input.runtime.capabilities.events;
    this.#verdicts = byImage(input.plan);
    this.#state = input.planned.state;
  }

  /** Makes the next question read the containers of a namespace again. */
  containersChanged(namespace: string): void {
    this.#readings.delete(namespace);
  }

  /** Tells that the runtime reports no changes any more: a reading then serves no longer than `freshFor`. */
  changesLost(): void {
    this.#hearsChanges = false;
    this.#readings.clear();
  }

  /** Tells that a name no longer stands for what was planned: later judgements must not count on it. */
  nameGone(namespace: string, name: string): void {
    const gone = this.#gone.get(namespace) ?? new Set();
    this.#gone.set(namespace, gone.add(name));
  }

  /** Judges one image with what is known now. Throws `RuntimeError` when the containers cannot be read. */
  async judge(namespace: string, target: Digest, options: CallOptions): Promise<FreshVerdict> {
    const containers = await this.#freshContainers(namespace, options);
    const seen = podsNow(this.#input.pods);
    if (seen.kind === "refused") return { kind: "blind", message: seen.message };
    this.#update(namespace, containers, seen.pods);
    return { kind: "judged", verdict: this.#verdicts.get(namespace)?.get(target) };
  }

  /** A reading that was overtaken while it was on its way is not trusted, unless that happens over and over. */
  async #freshContainers(namespace: string, options: CallOptions): Promise<readonly Container[]> {
    let reading = this.#reading(namespace, options);
    let containers = await reading.containers;
    for (let again = 0; again < mostRereads && this.#readings.get(namespace) !== reading; again++) {
      reading = this.#reading(namespace, options);
      containers = await reading.containers;
    }
    return containers;
  }

  /** One listing serves all removals that begin while it is fresh. */
  #reading(namespace: string, options: CallOptions): Reading {
    const now = this.#input.clock.elapsed();
    const known = this.#readings.get(namespace);
    if (known !== undefined && now <= known.freshUntil) return known;
    const { runtime, freshFor, clock } = this.#input;
    const containers = runtime.containers(namespace, options);
    const reading: Reading = { freshUntil: now + freshFor, containers };
    this.#readings.set(namespace, reading);
    containers.then(
      () => {
        const longer = Math.min(clock.elapsed() - now, freshFor) * servesTimesItsCost;
        if (this.#hearsChanges) reading.freshUntil = now + Math.max(freshFor, longer);
      },
      () => {
        if (this.#readings.get(namespace) === reading) this.#readings.delete(namespace);
      },
    );
    return reading;
  }

  #update(namespace: string, containers: readonly Container[], pods: readonly Pod[] | null): void {
    const before = this.#state.namespaces.find((candidate) => candidate.name === namespace);
    const sameContainers = before === undefined || sameUses(before.containers, containers);
    if (sameContainers && samePods(this.#state.pods, pods)) return;
    const namespaces = this.#state.namespaces.map((n) => (n.name === namespace ? { ...n, containers } : n));
    this.#state = { ...this.#state, namespaces, pods };
    this.#verdicts = byImage(
      makePlan({ ...this.#input.planned, state: this.#withoutGoneNames(), recheck: this.#input.plan }),
    );
  }

  #withoutGoneNames(): NodeState {
    const namespaces = this.#state.namespaces.map((namespace) => {
      const gone = this.#gone.get(namespace.name);
      if (gone === undefined) return namespace;
      return { ...namespace, names: namespace.names.filter(({ name }) => !gone.has(name)) };
    });
    return { ...this.#state, namespaces };
  }
}

/** Where containers change all the time, the last of these readings has to do. */
const mostRereads = 3;

interface Reading {
  /** Removals that begin later than this read again. By the time that elapsed: a clock that is set back makes no old reading fresh. */
  freshUntil: number;
  readonly containers: Promise<readonly Container[]>;
}

/**
 * On a crowded node one reading takes long, and everything waits for it: it then serves ten times as long as it took, though
 * never longer than ten times `freshFor`, so that checks cost about a tenth of a removal. Changes that the runtime reports end
 * it at once all the same.
 */
const servesTimesItsCost = 10;

function byImage(plan: Plan): ReadonlyMap<string, ReadonlyMap<Digest, ImageVerdict>> {
  const namespaces = new Map<string, Map<Digest, ImageVerdict>>();
  for (const verdict of plan.images) {
    let images = namespaces.get(verdict.namespace);
    if (images === undefined) {
      images = new Map();
      namespaces.set(verdict.namespace, images);
    }
    images.set(verdict.image.target, verdict);
  }
  return namespaces;
}

/** True when the containers need the same images; their states do not matter, because every state counts as a use. */
function sameUses(before: readonly Container[], now: readonly Container[]): boolean {
  if (before === now) return true;
  if (before.length !== now.length) return false;
  const known = new Map(before.map((container) => [container.id, useOf(container)]));
  return now.every((container) => known.get(container.id) === useOf(container));
}

function useOf({ image, imageId, otherImageIds, imageMounts, snapshotKey }: Container): string {
  return JSON.stringify([image, imageId, otherImageIds, imageMounts, snapshotKey]);
}

function samePods(before: readonly Pod[] | null, now: readonly Pod[] | null): boolean {
  if (before === now) return true;
  return JSON.stringify(before) === JSON.stringify(now);
}
