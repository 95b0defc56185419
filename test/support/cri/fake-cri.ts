// A CRI server of our own making over a real unix socket: behaves like CRI-O on the wire, or like containerd, and fails on request.
import { Code, ConnectError, type ConnectRouter, type ServiceImpl } from "@connectrpc/connect";
import { type CriVersion, criServices } from "../../../src/runtime/cri/services.ts";
import { type GrpcServer, serveGrpc } from "../grpc-server.ts";
import { removeAsContainerd, removeAsCrio } from "./removal.ts";

export interface FakeImage {
  /** As it is listed: bare hexadecimal digits on CRI-O. */
  readonly id: string;
  repoTags: readonly string[];
  repoDigests: readonly string[];
  readonly size?: number;
  readonly pinned?: boolean;
  /** The JSON under `info` of a verbose answer. */
  readonly info?: object;
  /** CRI-O keeps OCI artifacts beside images and lists them as if they were. */
  readonly artifact?: boolean;
}

export interface FakeContainer {
  readonly id: string;
  readonly image?: string;
  readonly userSpecifiedImage?: string;
  readonly specImageRef?: string;
  readonly imageRef?: string;
  readonly imageId?: string;
  /** 0 created, 1 running, 2 exited, 3 unknown. Default 1. */
  readonly state?: number;
  readonly labels?: Record<string, string>;
  /** Images mounted as volumes. */
  readonly imageMounts?: readonly string[];
}

export interface FakeSandbox {
  readonly id: string;
  /** `namespace/name`. */
  readonly pod?: string;
  /** The JSON under `info` of a verbose answer. */
  readonly info?: object;
}

/** A server's whole content and its peculiarities. Tests change it while it runs. */
export interface FakeCri {
  readonly runtime: string;
  readonly version: string;
  readonly speaks: readonly CriVersion[];
  images: FakeImage[];
  containers: FakeContainer[];
  sandboxes: FakeSandbox[];
  /** What `Status` tells when it is asked for more. */
  settings?: object;
  usage: { readonly mountpoint: string; readonly bytes: number; readonly countedAt: number }[];
  /** What was asked, in order, e.g. `RemoveImage 0123…`. */
  readonly calls: string[];
  /** Runs before the answer to a method: to wait, to throw, to change something. */
  readonly before: Map<string, () => unknown>;
  /** True: RemoveImage says done and does nothing. */
  lies: boolean;
}

export function fakeCrio(more: Partial<FakeCri> = {}): FakeCri {
  return {
    runtime: "cri-o",
    version: "1.33.1",
    speaks: ["v1"],
    images: [],
    containers: [],
    sandboxes: [],
    usage: [],
    calls: [],
    before: new Map(),
    lies: false,
    ...more,
  };
}

/** Serves `node` at a socket. */
export function serveFakeCri(socket: string, node: FakeCri): Promise<GrpcServer> {
  return serveGrpc(socket, (router) => addServices(router, node));
}

function addServices(router: ConnectRouter, node: FakeCri): void {
  for (const version of node.speaks) {
    const { runtime, images } = criServices(version);
    router.service(runtime, runtimeService(node)).service(images, imageService(node));
  }
}

async function heard(node: FakeCri, method: string, about = ""): Promise<void> {
  node.calls.push(about === "" ? method : `${method} ${about}`);
  await node.before.get(method)?.();
}

type RuntimeServiceImpl = Partial<ServiceImpl<ReturnType<typeof criServices>["runtime"]>>;
type ImageServiceImpl = Partial<ServiceImpl<ReturnType<typeof criServices>["images"]>>;

function runtimeService(node: FakeCri): RuntimeServiceImpl {
  return {
    async version() {
      await heard(node, "Version");
      return { runtimeName: node.runtime, runtimeVersion: node.version, runtimeApiVersion: node.speaks[0] ?? "" };
    },
    async status() {
      await heard(node, "Status");
      return { info: node.settings === undefined ? {} : { config: JSON.stringify(node.settings) } };
    },
    async listPodSandbox() {
      await heard(node, "ListPodSandbox");
      return {
        items: node.sandboxes.map(({ id, pod = "default/pod" }) => {
          const [namespace = "", name = ""] = pod.split("/");
          return { id, metadata: { namespace, name } };
        }),
      };
    },
    async podSandboxStatus({ podSandboxId, verbose }) {
      await heard(node, "PodSandboxStatus", podSandboxId);
      const { info } = node.sandboxes.find(({ id }) => id === podSandboxId) ?? {};
      return { info: verbose && info !== undefined ? { info: JSON.stringify(info) } : {} };
    },
    async listContainers() {
      await heard(node, "ListContainers");
      return { containers: node.containers.map(toContainer) };
    },
    async containerStatus({ containerId }) {
      await heard(node, "ContainerStatus", containerId);
      const found = node.containers.find(({ id }) => id === containerId);
      // CRI-O gives most failures no particular code, but this one.
      if (found === undefined) throw new ConnectError(`container "${containerId}" not found`, Code.NotFound);
      return { status: { id: containerId, mounts: (found.imageMounts ?? []).map((image) => ({ image: { image } })) } };
    },
  };
}

function imageService(node: FakeCri): ImageServiceImpl {
  return {
    async listImages() {
      await heard(node, "ListImages");
      return { images: node.images.map(toImage) };
    },
    async imageStatus({ image, verbose }) {
      await heard(node, "ImageStatus", image?.image);
      const found = node.images.find(({ id }) => id === image?.image);
      if (found === undefined) return {};
      return {
        image: toImage(found),
        info: verbose && found.info !== undefined ? { info: JSON.stringify(found.info) } : {},
      };
    },
    async removeImage({ image }) {
      const wanted = image?.image ?? "";
      await heard(node, "RemoveImage", wanted);
      if (!node.lies) (node.runtime === "containerd" ? removeAsContainerd : removeAsCrio)(node, wanted);
      return {};
    },
    async imageFsInfo() {
      await heard(node, "ImageFsInfo");
      return {
        imageFilesystems: node.usage.map(({ mountpoint, bytes, countedAt }) => ({
          timestamp: BigInt(countedAt) * 1_000_000n,
          fsId: { mountpoint },
          usedBytes: { value: BigInt(bytes) },
        })),
      };
    },
  };
}

function toImage({ id, repoTags, repoDigests, size = 1_000, pinned = false }: FakeImage) {
  return { id, repoTags: [...repoTags], repoDigests: [...repoDigests], size: BigInt(size), pinned };
}

function toContainer(container: FakeContainer) {
  const { id, image = "", userSpecifiedImage = "", specImageRef = "", imageRef = "", imageId = "" } = container;
  return {
    id,
    image: { image, userSpecifiedImage, imageRef: specImageRef },
    imageRef,
    imageId,
    state: container.state ?? 1,
    labels: container.labels ?? {},
  };
}
