// Reports when the pods of the node become known and when they stop being known.
import type { PodSource, PodsView } from "../kubernetes/pod-source.ts";
import type { ReportSink } from "../report/event.ts";

/** The same pod source, whose changes between synced and unsynced are reported once each. */
export function observedPods(source: PodSource, report: ReportSink): PodSource {
  let synced: boolean | undefined;
  let stopped = false;
  const look = () => {
    const view = source.view();
    const now = view.kind !== "unsynced";
    if (now !== synced && !stopped) {
      synced = now;
      report({ kind: "pods-synced", synced: now, message: messageOf(view) });
    }
    return view;
  };
  source.onChange(look);
  return {
    start: () => source.start(),
    view: look,
    ready: async (timeoutMs) => {
      await source.ready(timeoutMs);
      return look();
    },
    onChange: (listener) => source.onChange(listener),
    stop() {
      // Whoever stops knows that nothing is watched any more.
      stopped = true;
      return source.stop();
    },
  };
}

function messageOf(view: PodsView): string {
  switch (view.kind) {
    case "none":
      return "there is no source of pods: where CRI manages the images, all names of an image in use stay";
    case "synced":
      return "the pods of this node are known";
    case "unsynced":
      return view.reason;
  }
}
