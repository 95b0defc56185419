// One fake CRI server per test and a runtime connected to it; both are gone afterwards.
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import type { Container, NamespaceState } from "../../../src/image/node-state.ts";
import { type CriOptions, connectCri } from "../../../src/runtime/cri/cri-runtime.ts";
import type { ContainerRuntime } from "../../../src/runtime/runtime.ts";
import { type FakeCri, fakeCrio, serveFakeCri } from "../../support/cri/fake-cri.ts";
import type { GrpcServer } from "../../support/grpc-server.ts";
import { createTempFolder, type TempFolder } from "../../support/temp.ts";

export interface Harness {
  readonly node: FakeCri;
  readonly socket: string;
  /** Makes the node another one. Call it before `connect`. */
  become(more: Partial<FakeCri>): void;
  /** Serves the node as it is by now and connects to it. */
  connect(options?: Partial<CriOptions>): Promise<ContainerRuntime>;
  /** Ends the server as a crash would, and serves the node anew. */
  stop(): Promise<void>;
  serve(): Promise<void>;
}

/** Registers the hooks of one test file: a CRI-O with nothing in it, fresh for every test. */
export function useFakeCri(): Harness {
  let folder: TempFolder;
  let node: FakeCri;
  let server: GrpcServer | undefined;
  let runtimes: ContainerRuntime[] = [];
  const socket = (): string => join(folder.path, "c.sock");
  const stop = async (): Promise<void> => {
    await server?.stop();
    server = undefined;
  };

  beforeEach(() => {
    folder = createTempFolder();
    node = fakeCrio();
  });
  afterEach(async () => {
    for (const runtime of runtimes) await runtime.close();
    runtimes = [];
    await stop();
    folder.remove();
  });

  const serve = async (): Promise<void> => {
    server = await serveFakeCri(socket(), node);
  };
  return {
    get node() {
      return node;
    },
    get socket() {
      return socket();
    },
    become(more) {
      node = fakeCrio(more);
    },
    stop,
    serve,
    async connect(options = {}) {
      await serve();
      const runtime = connectCri({ endpoint: `unix://${socket()}`, ...options });
      runtimes.push(runtime);
      return runtime;
    },
  };
}

/** What is seen of the only namespace. */
export async function observeOnly(from: ContainerRuntime): Promise<NamespaceState> {
  const { namespaces } = await from.observe();
  const [only, ...others] = namespaces;
  if (only === undefined || others.length > 0) throw new Error("not exactly one namespace was observed");
  return only;
}

export async function containerOf(from: ContainerRuntime, id: string): Promise<Container> {
  const found = (await from.containers("cri")).find((container) => container.id === id);
  if (found === undefined) throw new Error(`no container ${id}`);
  return found;
}
