// A small CRI client that does what a kubelet does: pull, run pods with containers, take them down again.
import { connect } from "node:net";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import {
  type Container,
  type Image,
  ImageService,
  NamespaceMode,
  RuntimeService,
} from "../../../src/runtime/cri/gen/runtime/v1/api_pb.js";
import { waitFor } from "../wait.ts";

/** A pod sandbox, as later calls need it. */
export interface CriPod {
  readonly id: string;
  readonly config: PodConfig;
}

export interface PodOptions {
  /** Kubernetes namespace. Default `default`. */
  readonly namespace?: string;
}

export interface CriContainerOptions {
  /** Default `main`. */
  readonly name?: string;
  /** Overrides the image's entrypoint and arguments. */
  readonly command?: readonly string[];
  /** What the pod's author wrote, when `image` is the ID that it was resolved to. Default: `image`. */
  readonly userSpecifiedImage?: string;
  /** IDs of images that are mounted as volumes, at `/volumes/0` and so on. containerd 2.1 and later. */
  readonly imageVolumes?: readonly string[];
}

export interface CriClient {
  /** The generated clients, for calls that have no helper here. */
  readonly runtime: Client<typeof RuntimeService>;
  readonly image: Client<typeof ImageService>;
  /** Pulls an image and returns what CRI calls its ID. */
  pull(reference: string): Promise<string>;
  images(): Promise<readonly Image[]>;
  containers(): Promise<readonly Container[]>;
  /** Runs the sandbox of a pod on the host's network. */
  runPod(name: string, options?: PodOptions): Promise<CriPod>;
  /** Creates a container, which does not run yet, and returns its ID. Kubelets give the image's ID, not its name. */
  createContainer(pod: CriPod, image: string, options?: CriContainerOptions): Promise<string>;
  start(container: string): Promise<void>;
  /** Kills the container; it stays as an exited one. */
  stop(container: string): Promise<void>;
  remove(container: string): Promise<void>;
  stopPod(pod: CriPod): Promise<void>;
  removePod(pod: CriPod): Promise<void>;
  close(): void;
}

/** What this client needs to know of a `Containerd`. */
export interface CriServer {
  readonly socket: string;
  readonly cgroup: string;
}

/** Connects and waits until CRI answers: it comes up a little later than containerd itself. */
export async function connectCri(server: CriServer): Promise<CriClient> {
  const sessions = new Http2SessionManager("http://localhost", {}, { createConnection: () => connect(server.socket) });
  const transport = createGrpcTransport({
    baseUrl: "http://localhost",
    sessionManager: sessions,
    acceptCompression: [],
    defaultTimeoutMs: 60_000,
  });
  const runtime = createClient(RuntimeService, transport);
  const image = createClient(ImageService, transport);
  const close = () => sessions.abort();
  try {
    await waitFor("CRI to answer", () => runtime.version({ version: "v1" }), { timeoutMs: 20_000 });
  } catch (error) {
    close();
    throw error;
  }
  return { runtime, image, close, ...imageCalls(image), ...podCalls(runtime, server), ...containerCalls(runtime) };
}

function imageCalls(image: Client<typeof ImageService>): Pick<CriClient, "pull" | "images"> {
  return {
    pull: async (reference) => (await image.pullImage({ image: { image: reference } })).imageRef,
    images: async () => (await image.listImages({})).images,
  };
}

function podCalls(
  runtime: Client<typeof RuntimeService>,
  server: CriServer,
): Pick<CriClient, "runPod" | "stopPod" | "removePod"> {
  return {
    async runPod(name, { namespace = "default" } = {}) {
      const config = podConfig({ name, namespace, cgroup: server.cgroup });
      const { podSandboxId } = await runtime.runPodSandbox({ config });
      return { id: podSandboxId, config };
    },
    async stopPod(pod) {
      await runtime.stopPodSandbox({ podSandboxId: pod.id });
    },
    async removePod(pod) {
      await runtime.removePodSandbox({ podSandboxId: pod.id });
    },
  };
}

function containerCalls(
  runtime: Client<typeof RuntimeService>,
): Pick<CriClient, "containers" | "createContainer" | "start" | "stop" | "remove"> {
  return {
    containers: async () => (await runtime.listContainers({})).containers,
    async createContainer(
      pod,
      image,
      { name = "main", command = [], userSpecifiedImage = image, imageVolumes = [] } = {},
    ) {
      const config = {
        metadata: { name, attempt: 0 },
        image: { image, userSpecifiedImage },
        command: [...command],
        mounts: imageVolumes.map((volume, i) => ({
          containerPath: `/volumes/${i}`,
          readonly: true,
          image: { image: volume },
        })),
        labels: { ...pod.config.labels, "io.kubernetes.container.name": name },
        linux: { securityContext: { namespaceOptions: hostNetwork } },
      };
      const created = await runtime.createContainer({ podSandboxId: pod.id, config, sandboxConfig: pod.config });
      return created.containerId;
    },
    async start(containerId) {
      await runtime.startContainer({ containerId });
    },
    async stop(containerId) {
      await runtime.stopContainer({ containerId, timeout: 0n });
    },
    async remove(containerId) {
      await runtime.removeContainer({ containerId });
    },
  };
}

/** The host's network needs no CNI plugin. */
const hostNetwork = { network: NamespaceMode.NODE, pid: NamespaceMode.CONTAINER, ipc: NamespaceMode.POD };

type PodConfig = ReturnType<typeof podConfig>;

/** The labels are those that a kubelet sets. */
function podConfig({ name, namespace, cgroup }: { name: string; namespace: string; cgroup: string }) {
  const uid = `uid-${namespace}-${name}`;
  return {
    metadata: { name, namespace, uid, attempt: 0 },
    labels: {
      "io.kubernetes.pod.name": name,
      "io.kubernetes.pod.namespace": namespace,
      "io.kubernetes.pod.uid": uid,
    },
    linux: { cgroupParent: cgroup, securityContext: { namespaceOptions: hostNetwork } },
  };
}
