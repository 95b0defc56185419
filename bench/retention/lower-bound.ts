// How few bytes any policy can get by with on a trace: the optimum of an easier problem, in which single bytes may stay or go.
import type { Instant } from "../../src/image/node-state.ts";
import type { Layer } from "./catalogue.ts";
import type { Disk } from "./node.ts";
import type { Trace } from "./trace.ts";
import type { PodStart } from "./workload.ts";

/**
 * Packed bytes that must be pulled, whatever is decided. Relaxation: layers may go without their images, and in part. Then every
 * byte is a page of its own, all of them cost the same (packed bytes are a fixed share of the bytes on disk), a running pod asks for
 * its bytes at every moment, and evicting the bytes whose next use is farthest is optimal (Belady). Every policy of whole images
 * that starts all pods in time makes moves of the easier problem too, so it pulls at least as much.
 */
export function lowerBound(trace: Trace, disk: Disk): number {
  const cache = new ByteCache(trace, disk.capacity - disk.other);
  const running: PodStart[] = [];
  let pulled = 0;
  trace.starts.forEach((pod, position) => {
    for (let i = running.length - 1; i >= 0; i -= 1) {
      const ended = running[i];
      if (ended === undefined || ended.until > pod.at) continue;
      running.splice(i, 1);
      cache.release(ended.image.layers);
    }
    pulled += cache.use(pod.image.layers, position);
    running.push(pod);
  });
  return pulled;
}

class ByteCache {
  readonly #room: number;
  readonly #resident: Float64Array;
  readonly #users: Int32Array;
  /** Positions of the starts that need a layer, and how many of them have passed. */
  readonly #uses: number[][];
  readonly #passed: Int32Array;
  /** Layers of which anything is resident. */
  readonly #held = new Set<Layer>();
  #used = 0;

  constructor({ layers, starts }: Trace, room: number) {
    this.#room = room;
    this.#resident = new Float64Array(layers.length);
    this.#users = new Int32Array(layers.length);
    this.#passed = new Int32Array(layers.length);
    this.#uses = layers.map(() => []);
    starts.forEach(({ image }, position) => {
      for (const { index } of image.layers) this.#uses[index]?.push(position);
    });
  }

  /** Pins the layers and fetches what is missing of them. Returns the packed bytes that were fetched. */
  use(layers: readonly Layer[], position: number): number {
    let fetched = 0;
    let packed = 0;
    for (const layer of layers) {
      const missing = layer.bytes - (this.#resident[layer.index] ?? 0);
      fetched += missing;
      packed += (missing * layer.packed) / layer.bytes;
      this.#resident[layer.index] = layer.bytes;
      this.#held.add(layer);
      this.#users[layer.index] = (this.#users[layer.index] ?? 0) + 1;
    }
    this.#used += fetched;
    if (this.#used > this.#room) this.#evict(position);
    return packed;
  }

  release(layers: readonly Layer[]): void {
    for (const { index } of layers) this.#users[index] = (this.#users[index] ?? 0) - 1;
  }

  #evict(position: number): void {
    const candidates = [...this.#held]
      .filter(({ index }) => this.#users[index] === 0)
      .map((layer) => ({ layer, next: this.#nextUse(layer.index, position) }))
      .sort((a, b) => b.next - a.next);
    for (const { layer } of candidates) {
      const { index } = layer;
      const over = this.#used - this.#room;
      if (over <= 0) return;
      const gone = Math.min(over, this.#resident[index] ?? 0);
      this.#resident[index] = (this.#resident[index] ?? 0) - gone;
      this.#used -= gone;
      if (this.#resident[index] === 0) this.#held.delete(layer);
    }
  }

  #nextUse(index: number, position: number): Instant {
    const uses = this.#uses[index] ?? [];
    let passed = this.#passed[index] ?? 0;
    while (passed < uses.length && (uses[passed] ?? 0) <= position) passed += 1;
    this.#passed[index] = passed;
    return uses[passed] ?? Number.POSITIVE_INFINITY;
  }
}
