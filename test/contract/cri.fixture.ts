// A real containerd as a subject of the contract table, looked at through CRI alone. Filled by `ctr`, containers come from CRI.
import type { Digest } from "../../src/image/digest.ts";
import { connectCri as connectRuntime } from "../../src/runtime/cri/cri-runtime.ts";
import type { CriVersion } from "../../src/runtime/cri/services.ts";
import { type Containerd, startContainerd } from "../support/daemons/containerd.ts";
import { type CriClient, type CriPod, connectCri } from "../support/daemons/cri-client.ts";
import type { ContainerdLine } from "../support/daemons/manifest.ts";
import { busyboxImage } from "../support/oci/busybox.ts";
import { waitFor } from "../support/wait.ts";
import { seedStore, storedNames, tagInStore } from "./containerd-store.ts";
import type { MadeImage, RuntimeFixture, Subject } from "./subject.ts";

/** The one namespace that CRI looks at. */
const namespace = "k8s.io";
const pauseImage = "registry.example/pause:1";

/** The contract's view of one containerd line through one API version of CRI. */
export function criFixture(version: ContainerdLine, api: CriVersion): RuntimeFixture {
  let daemon: Containerd | undefined;
  let cri: CriClient | undefined;
  let subjects = 0;
  return {
    name: `CRI ${api} on containerd ${version}`,
    capabilities: {
      untag: false,
      exactBytes: false,
      content: false,
      createNames: false,
      compareAndDelete: false,
      // Debian's 1.6 is older than the patch that tells pins.
      pinnedImages: version !== "1.6",
      namespaces: false,
      nameRecords: false,
      events: false,
      allContainers: false,
    },
    async open() {
      daemon = await startContainerd({ version, cri: true, sandboxImage: pauseImage });
      cri = await connectCri(daemon);
    },
    async subject() {
      if (daemon === undefined || cri === undefined) throw new Error("the fixture was not opened");
      return createSubject({ daemon, cri, api }, ++subjects);
    },
    async close() {
      cri?.close();
      await daemon?.stop();
    },
  };
}

interface Place {
  readonly daemon: Containerd;
  readonly cri: CriClient;
  readonly api: CriVersion;
}

async function createSubject({ daemon, cri, api }: Place, number: number): Promise<Subject> {
  const runtime = connectRuntime({ endpoint: daemon.endpoint, versions: [api] });
  // `info` knows what this version of the runtime can do.
  await runtime.info();
  const targets = new Map<Digest, Digest>();
  let pod: CriPod | undefined;

  return {
    runtime,
    namespace: "cri",
    otherNamespace: "cri",
    async seed(seed) {
      const made = await seedStore(daemon, seed, { namespace, salt: `subject ${number}` });
      for (const { config, target } of Object.values<MadeImage>(made)) targets.set(config, target);
      for (const { name, image } of seed.names) await shown(cri, name, made[image].config);
      const pinned = seed.names.filter(({ labels }) => labels?.["io.cri-containerd.pinned"] === "pinned");
      for (const { image } of pinned) await shownAsPinned(cri, made[image].config);
      // To CRI an image is its config: that is what names point to.
      const seen = Object.entries<MadeImage>(made).map(([key, image]) => [key, { ...image, target: image.config }]);
      return Object.fromEntries(seen) as typeof made;
    },
    async tag(name, config) {
      const target = targets.get(config);
      if (target === undefined) throw new Error(`no image ${config} was made`);
      await tagInStore(daemon, { namespace, name, target });
      await shown(cri, name, config);
    },
    async createContainer({ id: name, image, state }) {
      pod ??= await runPod(daemon, cri, `pod-${number}`);
      const id = await cri.createContainer(pod, image, { name, command: ["sleep", "3600"] });
      await cri.start(id);
      if (state === "exited") await cri.stop(id);
      return id;
    },
    removeContainer: (id) => cri.remove(id),
    async stop() {
      await runtime.close();
      if (pod !== undefined) await cri.removePod(pod);
      for (const { id } of await cri.images()) await cri.image.removeImage({ image: { image: id } });
      await waitFor("the images to be gone", async () => {
        return (await cri.images()).length === 0 && (await storedNames(daemon, namespace)).length === 0;
      });
    },
  };
}

async function runPod(daemon: Containerd, cri: CriClient, name: string): Promise<CriPod> {
  const pause = busyboxImage({ labels: { case: "pause" } });
  await daemon.import(pause, { namespace, names: [pauseImage] });
  await shown(cri, pauseImage, pause.config.digest);
  return cri.runPod(name);
}

/** CRI hears of other people's changes a moment later. */
async function shown(cri: CriClient, name: string, config: Digest): Promise<void> {
  await waitFor(`CRI to show ${name}`, async () => {
    const image = (await cri.images()).find(({ id }) => id === config);
    return image !== undefined && [...image.repoTags, ...image.repoDigests].includes(name);
  });
}

async function shownAsPinned(cri: CriClient, config: Digest): Promise<void> {
  await waitFor(`CRI to show ${config} as pinned`, async () => {
    return (await cri.images()).some(({ id, pinned }) => id === config && pinned);
  });
}
