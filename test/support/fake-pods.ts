// A pod source in memory whose view tests change as they like.
import type { Pod } from "../../src/image/node-state.ts";
import type { PodSource, PodsView } from "../../src/kubernetes/pod-source.ts";

export interface FakePods extends PodSource {
  set(view: PodsView): void;
  /** Makes the pods known. */
  know(pods: readonly Pod[]): void;
}

/** A source that begins with `pods`, or without any knowledge of pods when they are null. */
export function createFakePods(pods: readonly Pod[] | null): FakePods {
  const listeners = new Set<() => void>();
  const synced = (known: readonly Pod[]): PodsView => ({ kind: "synced", pods: known, confirmedAt: 0 });
  let view: PodsView = pods === null ? { kind: "none" } : synced(pods);
  const set = (next: PodsView): void => {
    view = next;
    for (const listener of listeners) listener();
  };
  return {
    start: () => undefined,
    view: () => view,
    ready: async () => view,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop: async () => undefined,
    set,
    know: (known) => set(synced(known)),
  };
}

/** A running pod that asks for images. */
export function podOf(name: string, images: readonly string[], more: Partial<Pod> = {}): Pod {
  return { namespace: "default", name, uid: name, phase: "Running", images, imageIds: [], ...more };
}
