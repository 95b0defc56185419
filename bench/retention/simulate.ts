// Runs one trace on one node under one policy, and counts what it costs.
import type { Instant } from "../../src/image/node-state.ts";
import { type Disk, Node } from "./node.ts";
import type { Caretaker, RetentionPolicy } from "./policies/caretaker.ts";
import { Queue } from "./queue.ts";
import { Random } from "./random.ts";
import type { Trace } from "./trace.ts";
import { mebibytes, minutes, seconds } from "./units.ts";
import type { PodStart } from "./workload.ts";

/** What a policy costs on one trace. Bytes are packed bytes: those that a registry sends. */
export interface Cost {
  readonly starts: number;
  readonly pulledBytes: number;
  /** Of these, bytes of layers that the node had held before. */
  readonly againBytes: number;
  /** Starts that had to wait for a pull. */
  readonly delayed: number;
  /** Of these, starts of images that the node had held before. */
  readonly delayedAgain: number;
  /** Milliseconds that starts waited for pulls of layers that the node had held before. */
  readonly waitedAgain: number;
  /** Starts that met a full disk at least once. */
  readonly diskFull: number;
  /** Of these, pods that never ran. */
  readonly neverRan: number;
  /** Milliseconds above the kubelet's threshold. */
  readonly above85: number;
  readonly largestFill: number;
  readonly removed: number;
}

/** Packed bytes that a node pulls and unpacks in a millisecond. */
const pullRate = (40 * mebibytes) / seconds(1);

/** The kubelet's back-off after a failed pull. */
const backoff = { first: seconds(10), longest: minutes(5) };

/** Deterministic: the same trace, disk and policy always cost the same. */
export function simulate(trace: Trace, disk: Disk, policy: RetentionPolicy): Cost {
  return new Simulation(trace, disk, policy).run();
}

type Happening =
  | { readonly kind: "end"; readonly pod: PodStart }
  | { readonly kind: "start"; readonly pod: PodStart; readonly tries: number }
  | { readonly kind: "restart"; readonly what: "node" | "kubelet" }
  | { readonly kind: "look" };

class Simulation {
  readonly #trace: Trace;
  readonly #node: Node;
  readonly #caretaker: Caretaker;
  readonly #queue = new Queue<Happening>();
  readonly #seenLayers: Uint8Array;
  readonly #seenImages: Uint8Array;
  readonly #cost = {
    starts: 0,
    pulledBytes: 0,
    againBytes: 0,
    delayed: 0,
    delayedAgain: 0,
    waitedAgain: 0,
    diskFull: 0,
    neverRan: 0,
    above85: 0,
    largestFill: 0,
    removed: 0,
  };
  #now: Instant;

  constructor(trace: Trace, disk: Disk, policy: RetentionPolicy) {
    this.#trace = trace;
    this.#now = trace.from;
    this.#node = new Node(disk, trace.layers);
    this.#seenLayers = new Uint8Array(trace.layers.length);
    this.#seenImages = new Uint8Array(trace.images.length);
    this.#caretaker = policy.start({ node: this.#node, trace, random: new Random(trace.seed).fork(policy.name) });
    for (const pod of trace.starts) this.#queue.add(pod.at, { kind: "start", pod, tries: 0 });
    for (const { at, what } of trace.restarts) this.#queue.add(at, { kind: "restart", what });
    if (Number.isFinite(this.#caretaker.every)) this.#queue.add(trace.from, { kind: "look" });
  }

  run(): Cost {
    for (let next = this.#queue.take(); next !== undefined; next = this.#queue.take()) {
      if (next.at > this.#trace.to) break;
      this.#advance(next.at);
      this.#happen(next.value);
      this.#cost.largestFill = Math.max(this.#cost.largestFill, this.#node.fill);
    }
    this.#advance(this.#trace.to);
    return { ...this.#cost, removed: this.#node.removed };
  }

  #advance(to: Instant): void {
    if (this.#node.fill > 0.85) this.#cost.above85 += to - this.#now;
    this.#now = to;
  }

  #happen(what: Happening): void {
    switch (what.kind) {
      case "start":
        this.#start(what.pod, what.tries);
        break;
      case "end":
        this.#node.end(what.pod.image, this.#now);
        this.#caretaker.usesChanged?.(what.pod.image, this.#now);
        break;
      case "restart":
        this.#caretaker.restarted?.(what.what, this.#now);
        break;
      case "look":
        this.#caretaker.look?.(this.#now);
        this.#queue.add(this.#now + this.#caretaker.every, what);
    }
  }

  #start(pod: PodStart, tries: number): void {
    const { image } = pod;
    if (tries === 0) this.#cost.starts += 1;
    if (pod.until <= this.#now) {
      this.#cost.neverRan += 1;
      return;
    }
    const present = this.#node.images.has(image.index);
    if (!present) this.#caretaker.beforePull?.(image, this.#now);
    if (!present && !this.#pull(pod)) {
      this.#fail(pod, tries);
      return;
    }
    this.#node.begin(image, this.#now);
    this.#queue.add(pod.until, { kind: "end", pod });
    this.#caretaker.usesChanged?.(image, this.#now);
    if (!present) this.#caretaker.pulled?.(image, this.#now);
  }

  /** Fetches what is missing, or nothing when the disk is too small for it. */
  #pull({ image }: PodStart): boolean {
    const missing = this.#node.missing(image);
    const bytes = missing.reduce((sum, layer) => sum + layer.bytes, 0);
    if (this.#node.used + bytes > this.#node.disk.capacity) return false;
    const packed = missing.reduce((sum, layer) => sum + layer.packed, 0);
    const again = missing.reduce((sum, layer) => sum + (this.#seenLayers[layer.index] === 1 ? layer.packed : 0), 0);
    this.#cost.pulledBytes += packed;
    this.#cost.againBytes += again;
    this.#cost.delayed += 1;
    this.#cost.waitedAgain += again / pullRate;
    if (this.#seenImages[image.index] === 1) this.#cost.delayedAgain += 1;
    this.#seenImages[image.index] = 1;
    for (const layer of missing) this.#seenLayers[layer.index] = 1;
    this.#node.pull(image, this.#now);
    return true;
  }

  #fail(pod: PodStart, tries: number): void {
    if (tries === 0) this.#cost.diskFull += 1;
    const wait = Math.min(backoff.longest, backoff.first * 2 ** tries);
    this.#queue.add(this.#now + wait, { kind: "start", pod, tries: tries + 1 });
  }
}
