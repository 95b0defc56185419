// The pods of the simulated node, as a pod source that is always in step.
import type { Instant, Pod } from "../../image/node-state.ts";
import type { PodSource, PodsView } from "../../kubernetes/pod-source.ts";

export interface LivelyPods {
  readonly source: PodSource;
  /** Shows these pods from now on, and tells the listeners. */
  show(pods: readonly Pod[], now: Instant): void;
}

export function createLivelyPods(): LivelyPods {
  const listeners = new Set<() => void>();
  let shown: { pods: readonly Pod[]; confirmedAt: Instant } | undefined;
  let started = false;
  const view = (): PodsView => {
    if (!started || shown === undefined) return { kind: "unsynced", reason: "the simulated pods were not started" };
    return { kind: "synced", ...shown };
  };
  return {
    source: {
      start() {
        started = true;
      },
      view,
      ready: async () => view(),
      onChange(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      async stop() {
        started = false;
        listeners.clear();
      },
    },
    show(pods, now) {
      shown = { pods, confirmedAt: now };
      // A watch that was not started hears of nothing.
      if (!started) return;
      for (const listener of listeners) listener();
    },
  };
}
