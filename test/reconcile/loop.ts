// A loop over an embedded node with a clock that tests move; it is stopped when its test ends.
import { onTestFinished } from "vitest";
import { emptyHistory, type History } from "../../src/decide/history.ts";
import { removeAllUnused } from "../../src/decide/policy.ts";
import {
  type Controller,
  type ControllerInput,
  type LoopSettings,
  startController,
} from "../../src/reconcile/controller.ts";
import type { ReportEvent } from "../../src/report/event.ts";
import { createEmbeddedRuntime, type EmbeddedRuntime } from "../../src/runtime/embedded/embedded-runtime.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { createFakePods, type FakePods } from "../support/fake-pods.ts";
import { imageOf, nameOf, namespaceOf, nodeOf } from "../support/node-builder.ts";
import { waitFor } from "../support/wait.ts";

export interface Loop {
  readonly controller: Controller;
  readonly clock: FakeClock;
  readonly runtime: EmbeddedRuntime;
  readonly pods: FakePods;
  readonly events: ReportEvent[];
  readonly remembered: History[];
  readonly stop: () => Promise<void>;
  /** Waits until the loop has gone to sleep this many times. */
  asleep(times: number): Promise<unknown>;
}

/** Removes what is unused, once a minute. */
export const plain: LoopSettings = {
  policyAt: () => removeAllUnused,
  interval: 60_000,
  jitter: 0,
  concurrency: 1,
  callTimeoutMs: 1_000,
};

/** How many names the node has. */
export function namesOf({ runtime }: Loop): number | undefined {
  return runtime.snapshot().namespaces[0]?.names.length;
}

type Prepared = Pick<Loop, "clock" | "runtime" | "pods">;

type More = Partial<ControllerInput & LoopSettings>;

/** Starts a loop on a node with two unused images. */
export function start(more: More = {}, prepare: (node: Prepared) => void = () => {}): Loop {
  const images = [imageOf("one"), imageOf("two")];
  const names = images.map(({ target }, i) => nameOf(`r.example/app:${i}`, target));
  const runtime = createEmbeddedRuntime(nodeOf({ namespaces: [namespaceOf("k8s.io", { names, images })] }));
  const clock = createFakeClock();
  const pods = createFakePods([]);
  const stopping = new AbortController();
  const events: ReportEvent[] = [];
  const remembered: History[] = [];
  prepare({ clock, runtime, pods });
  const controller = startController({
    runtime,
    pods,
    clock,
    history: emptyHistory("just-used"),
    settings: () => ({ ...plain, ...more }),
    retryAfter: 10_000,
    report: (event) => events.push(event),
    remember: (history) => remembered.push(history),
    signal: stopping.signal,
    ...more,
  });
  const loop: Loop = {
    controller,
    clock,
    runtime,
    pods,
    events,
    remembered,
    stop: async () => {
      stopping.abort();
      await controller.done;
    },
    asleep: (times) => waitFor(`sleep number ${times}`, () => clock.sleeps.length >= times, { intervalMs: 1 }),
  };
  onTestFinished(loop.stop);
  return loop;
}

/** Lets everything that can go on go on. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise(setImmediate);
}

/** The kinds of what was reported. */
export function kinds({ events }: Loop): string[] {
  return events.map(({ kind }) => kind);
}

/** How many rounds were done. */
export function rounds(loop: Loop): number {
  return kinds(loop).filter((kind) => kind === "round-done").length;
}
