// One fake daemon per test and a runtime connected to it; both are gone afterwards.
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import type { Container, NamespaceState } from "../../../src/image/node-state.ts";
import { type ContainerdOptions, connectContainerd } from "../../../src/runtime/containerd/containerd-runtime.ts";
import type { ContainerRuntime } from "../../../src/runtime/runtime.ts";
import { createTempFolder, type TempFolder } from "../../support/temp.ts";
import { emptyNamespace, type FakeNamespace, type FakeNode, fakeNode, serveFakeDaemon } from "./fake-daemon.ts";

/** A node with an empty namespace `k8s.io`, fresh for every test, and ways to look at it. */
export interface Harness {
  readonly node: FakeNode;
  readonly namespace: FakeNamespace;
  /** Serves the node as it is by now and connects to it. */
  connect(options?: Partial<ContainerdOptions>): Promise<ContainerRuntime>;
}

/** Registers the hooks of one test file. Read the properties inside tests only. */
export function useFakeDaemon(): Harness {
  let folder: TempFolder;
  let node: FakeNode;
  let namespace: FakeNamespace;
  let stops: (() => Promise<void>)[] = [];

  beforeEach(() => {
    folder = createTempFolder();
    namespace = emptyNamespace();
    node = fakeNode({ "k8s.io": namespace });
  });

  afterEach(async () => {
    for (const stop of stops.reverse()) await stop();
    stops = [];
    folder.remove();
  });

  return {
    get node() {
      return node;
    },
    get namespace() {
      return namespace;
    },
    async connect(options = {}) {
      const endpoint = join(folder.path, "c.sock");
      const daemon = await serveFakeDaemon(endpoint, node);
      const runtime = connectContainerd({ endpoint, namespaces: ["k8s.io"], ...options });
      stops.push(
        () => daemon.stop(),
        () => runtime.close(),
      );
      return runtime;
    },
  };
}

/** What is seen of the only namespace. */
export async function observeOnly(from: ContainerRuntime): Promise<NamespaceState> {
  const { namespaces } = await from.observe();
  const [only] = namespaces;
  if (!only) throw new Error("no namespace was observed");
  return only;
}

/** What is seen of one container; undefined when it is not there. */
export async function containerOf(from: ContainerRuntime, id: string): Promise<Container | undefined> {
  return (await observeOnly(from)).containers.find((container) => container.id === id);
}

/** Adds a container on a writable snapshot over `parent`. */
export function addContainer(to: FakeNamespace, id: string, image: string, parent: string | undefined): void {
  to.snapshots.push({ name: id, kind: "active", ...(parent ? { parent } : {}) });
  to.containers.push({ id, image, snapshotKey: id });
}
