// prunelet itself: the real plan over the state that it would see, with the marks of the configuration, carried out on the simulated node.
import type { History, Sighting } from "../../../src/decide/history.ts";
import { makePlan, type Plan } from "../../../src/decide/plan.ts";
import type { Policy } from "../../../src/decide/policy.ts";
import { demandOf, type Watermarks } from "../../../src/decide/watermarks.ts";
import type { Digest } from "../../../src/image/digest.ts";
import type { Container, Instant, NodeState } from "../../../src/image/node-state.ts";
import type { CataloguedImage } from "../catalogue.ts";
import type { HeldImage, Node } from "../node.ts";
import { minutes } from "../units.ts";
import type { Caretaker, RetentionPolicy, World } from "./caretaker.ts";

export interface PruneletSettings {
  readonly policy: Policy;
  /** Absent: pressure is switched off. */
  readonly marks?: Watermarks;
  /** Milliseconds between two looks at the filesystem. */
  readonly check: number;
  /** Milliseconds between two routine rounds. */
  readonly interval: number;
}

/** A policy that asks prunelet's own decisions. */
export function prunelet(name: string, settings: PruneletSettings): RetentionPolicy {
  return { name, start: (world) => new PruneletAgent(world, settings) };
}

/** The namespace of Kubernetes in containerd. */
const namespace = "k8s.io";

/** When a round could not free enough, the next one comes when a use ends, or after this long. */
const patience = minutes(10);

class PruneletAgent implements Caretaker {
  readonly every: number;
  readonly #node: Node;
  readonly #settings: PruneletSettings;
  readonly #memory = new Memory();
  #begun = false;
  #pressureAgainAt = 0;
  #routineAt = 0;

  constructor({ node }: World, settings: PruneletSettings) {
    this.every = settings.check;
    this.#node = node;
    this.#settings = settings;
  }

  look(now: Instant): void {
    if (now >= this.#routineAt) {
      this.#routineAt = now + this.#settings.interval;
      this.#pressureAgainAt = 0;
      if (this.#somethingIsOldEnough(now)) this.#carryOut(this.#plan(now));
    }
    if (now >= this.#pressureAgainAt) this.#relieve(now);
  }

  /** The agent looks at the node when containers come and go, and remembers it; a restart loses nothing. */
  usesChanged(image: CataloguedImage, now: Instant): void {
    const held = this.#node.images.get(image.index);
    if (held === undefined) return;
    this.#memory.remember(held, now);
    if (held.users === 0) this.#pressureAgainAt = 0;
  }

  #relieve(now: Instant): void {
    const { marks } = this.#settings;
    if (marks === undefined) return;
    const { capacity } = this.#node.disk;
    const fill = { path: "/", capacityBytes: capacity, usedBytes: this.#node.used, inodes: 0, inodesUsed: 0 };
    const demand = demandOf(fill, marks, this.#begun);
    this.#begun = demand !== undefined;
    if (demand === undefined) return;
    const { shortfall } = this.#carryOut(this.#plan(now, demand));
    if (shortfall > 0) this.#pressureAgainAt = now + patience;
  }

  #plan(now: Instant, demand?: ReturnType<typeof demandOf>): Plan {
    const { policy } = this.#settings;
    const input = { state: stateOf(this.#node, now), history: this.#memory.history, policy };
    return makePlan(demand === undefined ? input : { ...input, demand });
  }

  #carryOut(plan: Plan): Plan {
    const byTarget = new Map([...this.#node.images.values()].map(({ image }) => [image.name.target, image]));
    for (const { action, image } of plan.images) {
      const gone = action === "delete" ? byTarget.get(image.target) : undefined;
      if (gone === undefined) continue;
      this.#node.remove(gone);
      this.#memory.forget(gone);
    }
    return plan;
  }

  /** Plans that could not remove anything need not be made: that saves most of the time of the simulation. */
  #somethingIsOldEnough(now: Instant): boolean {
    const { unusedFor, keepPerRepository } = this.#settings.policy;
    if (unusedFor <= 0) return keepPerRepository > 0;
    return [...this.#node.images.values()].some(({ users, lastUsed }) => users === 0 && now - lastUsed >= unusedFor);
  }
}

/** The history as the rounds after each container event would leave it, kept up to date without going through all images. */
class Memory {
  readonly #images = new Map<Digest, Sighting>();
  readonly #names = new Map<string, Sighting>();
  readonly history: History = {
    namespaces: new Map([[namespace, { images: this.#images, names: this.#names }]]),
    unknown: "just-used",
  };

  remember({ image, pulledAt, timesUsed, users }: HeldImage, now: Instant): void {
    const sighting = { firstSeen: pulledAt, lastUsed: now, timesUsed, usedBy: [], inUse: users > 0 };
    this.#images.set(image.name.target, sighting);
    this.#names.set(image.name.name, sighting);
  }

  forget({ name }: CataloguedImage): void {
    this.#images.delete(name.target);
    this.#names.delete(name.name);
  }
}

/** The node as the containerd adapter would describe it: one tag for each image, one container for each image in use. */
function stateOf(node: Node, now: Instant): NodeState {
  const held = [...node.images.values()];
  const used = held.filter(({ users }) => users > 0);
  return {
    takenAt: now,
    runtime: { kind: "containerd", version: "2.1" },
    namespaces: [
      {
        name: namespace,
        names: held.map(({ image, pulledAt }) => ({ ...image.name, createdAt: pulledAt, updatedAt: pulledAt })),
        images: held.map(({ image }) => image.image),
        containers: used.map(({ image }) => toContainer(image)),
        held: { blobs: [], snapshots: [] },
      },
    ],
    foreignBlobs: [],
    pods: used.map(({ image }) => ({
      namespace: "default",
      name: `pod-${image.index}`,
      uid: `uid-${image.index}`,
      phase: "Running",
      images: [image.name.name],
      imageIds: [image.image.id],
    })),
  };
}

function toContainer({ index, name, image }: CataloguedImage): Container {
  return {
    id: `container-${index}`,
    image: name.name,
    imageId: image.id,
    otherImageIds: [],
    state: "running",
    kind: "container",
    snapshotKey: "",
    imageMounts: [],
    pod: `default/pod-${index}`,
  };
}
