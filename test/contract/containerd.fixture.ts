// A real containerd as a subject of the contract table: filled by its own `ctr`, looked at by our adapter.
import { connectContainerd } from "../../src/runtime/containerd/containerd-runtime.ts";
import { type Containerd, startContainerd } from "../support/daemons/containerd.ts";
import type { ContainerdLine } from "../support/daemons/manifest.ts";
import { waitFor } from "../support/wait.ts";
import { seedStore, storedNames, tagInStore } from "./containerd-store.ts";
import type { RuntimeFixture, Subject } from "./subject.ts";

/** The contract's view of one containerd line. */
export function containerdFixture(version: ContainerdLine): RuntimeFixture {
  let daemon: Containerd | undefined;
  let subjects = 0;
  return {
    name: `containerd ${version}`,
    capabilities: {
      untag: true,
      exactBytes: true,
      content: true,
      createNames: true,
      compareAndDelete: version === "2.1",
      pinnedImages: true,
      namespaces: true,
      nameRecords: true,
      events: true,
      allContainers: true,
    },
    async open() {
      daemon = await startContainerd({ version });
    },
    async subject() {
      if (daemon === undefined) throw new Error("the fixture was not opened");
      return createSubject(daemon, ++subjects);
    },
    async close() {
      await daemon?.stop();
    },
  };
}

async function createSubject(daemon: Containerd, number: number): Promise<Subject> {
  const namespace = `main-${number}`;
  const otherNamespace = `other-${number}`;
  const namespaces = [namespace, otherNamespace];
  for (const name of namespaces) await daemon.ctr("namespaces", "create", name);
  const runtime = connectContainerd({ endpoint: daemon.endpoint, namespaces });
  const containers = new Set<string>();

  return {
    runtime,
    namespace,
    otherNamespace,
    async seed({ images, names }) {
      return seedStore(daemon, { images, names }, { namespace, salt: namespace });
    },
    async tag(name, target) {
      await tagInStore(daemon, { namespace, name, target });
    },
    async createContainer({ id, image, state }) {
      containers.add(id);
      await daemon.runContainer({ id, image, namespace });
      if (state === "exited") await killContainer(daemon, namespace, id);
      return id;
    },
    removeContainer(id) {
      containers.delete(id);
      return removeContainer(daemon, namespace, id);
    },
    async stop() {
      for (const id of containers) await removeContainer(daemon, namespace, id);
      for (const name of namespaces) await removeNames(daemon, name);
      // A namespace can be removed only when nothing uncollected is left in it.
      await runtime.collect();
      await runtime.close();
      for (const name of namespaces) await daemon.ctr("namespaces", "remove", name);
    },
  };
}

/** Ends the container's process but keeps its task, as an exited container has one. */
async function killContainer(daemon: Containerd, namespace: string, id: string): Promise<void> {
  await daemon.ctr("-n", namespace, "tasks", "kill", "--signal", "SIGKILL", id);
  await waitFor(`container ${id} to exit`, async () => {
    const { stdout } = await daemon.ctr("-n", namespace, "tasks", "list");
    return stdout.split("\n").some((row) => row.startsWith(`${id} `) && row.includes("STOPPED"));
  });
}

async function removeContainer(daemon: Containerd, namespace: string, id: string): Promise<void> {
  await daemon.ctr("-n", namespace, "tasks", "delete", "--force", id);
  await daemon.ctr("-n", namespace, "containers", "delete", id);
}

async function removeNames(daemon: Containerd, namespace: string): Promise<void> {
  const names = (await storedNames(daemon, namespace)).map((stored) => stored.name);
  if (names.length > 0) await daemon.ctr("-n", namespace, "images", "remove", ...names);
}
