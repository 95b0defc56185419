// What the tests of the pod source share: a clock that can be moved, a connection to a test server, and a clean end for both.
import { onTestFinished, vi } from "vitest";
import { type Clock, systemClock } from "../../src/kubernetes/clock.ts";
import type { KubernetesConnection } from "../../src/kubernetes/connection.ts";
import { findKubernetes } from "../../src/kubernetes/connection.ts";
import type { ApiError } from "../../src/kubernetes/errors.ts";
import type { PodSource } from "../../src/kubernetes/pod-source.ts";
import { type WatchPodsOptions, watchPods } from "../../src/kubernetes/pods.ts";
import { type ApiServer, type ApiServerOptions, startApiServer } from "../support/api-server/api-server.ts";
import { type KubeconfigSketch, writeKubeconfig } from "../support/api-server/kubeconfig.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** Real timers; the clock can be set, and time can pass at once. Chance is always one half. */
export class MovableClock implements Clock {
  #ahead = 0;
  #passed = 0;

  /** The clock is set ahead, or back. */
  advance(milliseconds: number): void {
    this.#ahead += milliseconds;
  }

  /** So much time passes. */
  pass(milliseconds: number): void {
    this.#ahead += milliseconds;
    this.#passed += milliseconds;
  }

  elapsed(): number {
    return performance.now() + this.#passed;
  }

  now(): number {
    return Date.now() + this.#ahead;
  }

  after(milliseconds: number, callback: () => void): () => void {
    return systemClock.after(milliseconds, callback);
  }

  random(): number {
    return 0.5;
  }
}

/** So that a busy machine does not fail by another deadline than the one that a test is about. */
export const patient = { responseMs: 10_000, bodyMs: 10_000, silenceMs: 10_000 };

/** A server that is closed when the test ends. */
export async function serve(options: ApiServerOptions = {}): Promise<ApiServer> {
  const server = await startApiServer(options);
  onTestFinished(() => server.close());
  return server;
}

/** A connection through a kubeconfig, as a user would have it. */
export async function connectTo(
  server: string,
  sketch: Omit<KubeconfigSketch, "server"> = {},
): Promise<KubernetesConnection> {
  const kubeconfig = writeKubeconfig(`${temporaryFolder()}/config`, { server, ...sketch });
  const found = await findKubernetes({ mode: "kubernetes", kubeconfig, nodeName: "node-1", env: {} });
  if (found.kind !== "kubernetes") {
    throw new Error(found.reason);
  }
  return found.connection;
}

export interface Followed {
  readonly source: PodSource;
  readonly clock: MovableClock;
  readonly errors: ApiError[];
}

/** A started pod source for `node-1` that is stopped when the test ends. Waits are short. */
export function follow(connection: KubernetesConnection, options: Partial<WatchPodsOptions> = {}): Followed {
  const clock = new MovableClock();
  const errors: ApiError[] = [];
  const source = watchPods({
    connection,
    nodeName: "node-1",
    clock,
    backoff: { baseMs: 10, capMs: 40 },
    deadlines: { responseMs: 2_000, bodyMs: 2_000, silenceMs: 2_000 },
    onError: (error) => errors.push(error),
    ...options,
  });
  onTestFinished(() => source.stop());
  source.start();
  return { source, clock, errors };
}

/** The names of the pods in the view; undefined while it is unsynced. */
export function namesOf(source: PodSource): readonly string[] | undefined {
  const view = source.view();
  return view.kind === "synced" ? view.pods.map((pod) => pod.name) : undefined;
}

/** Why the view is unsynced; undefined when it is not. */
export function reasonOf(source: PodSource): string | undefined {
  const view = source.view();
  return view.kind === "unsynced" ? view.reason : undefined;
}

/** Waits until `condition` stops throwing, at most half a minute. */
export function eventually(condition: () => void): Promise<void> {
  return vi.waitFor(condition, { timeout: 30_000, interval: 5 });
}
