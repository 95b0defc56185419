// A containerd of our own making, for what a real one cannot be asked to do: a real gRPC server over a real socket.
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { Containers } from "../../../src/runtime/containerd/gen/containerd/services/containers/v1/containers_pb.js";
import { Content } from "../../../src/runtime/containerd/gen/containerd/services/content/v1/content_pb.js";
import { Events } from "../../../src/runtime/containerd/gen/containerd/services/events/v1/events_pb.js";
import { Images } from "../../../src/runtime/containerd/gen/containerd/services/images/v1/images_pb.js";
import { Introspection } from "../../../src/runtime/containerd/gen/containerd/services/introspection/v1/introspection_pb.js";
import { Leases } from "../../../src/runtime/containerd/gen/containerd/services/leases/v1/leases_pb.js";
import { Namespaces } from "../../../src/runtime/containerd/gen/containerd/services/namespaces/v1/namespace_pb.js";
import { Kind, Snapshots } from "../../../src/runtime/containerd/gen/containerd/services/snapshots/v1/snapshots_pb.js";
import { Tasks } from "../../../src/runtime/containerd/gen/containerd/services/tasks/v1/tasks_pb.js";
import { Version } from "../../../src/runtime/containerd/gen/containerd/services/version/v1/version_pb.js";
import { EnvelopeSchema } from "../../../src/runtime/containerd/gen/containerd/types/envelope_pb.js";
import { ImageService, RuntimeService } from "../../../src/runtime/cri/gen/runtime/v1/api_pb.js";
import { type GrpcServer, serveGrpc } from "../../support/grpc-server.ts";

export type Labels = Record<string, string>;

export interface FakeBlob {
  readonly bytes: Uint8Array;
  readonly labels: Labels;
  /** Told instead of the length of `bytes`. */
  readonly size?: number;
}

export interface FakeSnapshot {
  readonly name: string;
  readonly parent?: string;
  readonly kind?: "active" | "view";
  readonly size?: number;
  readonly labels?: Labels;
}

export interface FakeContainer {
  readonly id: string;
  readonly image?: string;
  readonly snapshotKey?: string;
  readonly labels?: Labels;
  readonly extensions?: Record<string, { typeUrl: string; value: Uint8Array }>;
}

export interface FakeLease {
  readonly id: string;
  readonly labels?: Labels;
  readonly resources?: { type: string; id: string }[];
}

/** What one namespace holds. Tests change it while the daemon runs. */
export interface FakeNamespace {
  images: { name: string; target: string; labels?: Labels }[];
  blobs: Map<string, FakeBlob>;
  snapshots: FakeSnapshot[];
  containers: FakeContainer[];
  leases: FakeLease[];
  expected: string[];
}

/** A daemon's whole content and its peculiarities. */
export interface FakeNode {
  version: string;
  namespaces: Record<string, FakeNamespace>;
  /** CRI's answers; without it the service is not there. */
  cri?: { runtime: Partial<ServiceImpl<typeof RuntimeService>>; images: Partial<ServiceImpl<typeof ImageService>> };
  /** False for a daemon that cannot stream containers. */
  containerStream: boolean;
  /** Names of the calls that were made, e.g. `Usage`. */
  calls: string[];
}

export function emptyNamespace(): FakeNamespace {
  return { images: [], blobs: new Map(), snapshots: [], containers: [], leases: [], expected: [] };
}

export function fakeNode(namespaces: Record<string, FakeNamespace>, version = "v2.1.4"): FakeNode {
  return { version, namespaces, containerStream: true, calls: [] };
}

/** Serves `node` at a socket. */
export function serveFakeDaemon(socket: string, node: FakeNode): Promise<GrpcServer> {
  return serveGrpc(socket, (router) => addServices(router, node));
}

function addServices(router: ConnectRouter, node: FakeNode): void {
  const of = (context: HandlerContext): FakeNamespace => {
    node.calls.push(context.method.name);
    return node.namespaces[context.requestHeader.get("containerd-namespace") ?? ""] ?? emptyNamespace();
  };
  addStores(router, node, of);
  addWorkloads(router, node, of);
  if (node.cri) router.service(RuntimeService, node.cri.runtime).service(ImageService, node.cri.images);
}

type NamespaceOf = (context: HandlerContext) => FakeNamespace;

const at = timestampFromMs(Date.UTC(2024, 0, 1));

function addStores(router: ConnectRouter, node: FakeNode, of: NamespaceOf): void {
  router
    .service(Version, { version: () => ({ version: node.version }) })
    .service(Namespaces, { list: () => ({ namespaces: Object.keys(node.namespaces).map((name) => ({ name })) }) })
    .service(Introspection, {
      plugins: () => ({
        plugins: [
          { type: "io.containerd.snapshotter.v1", id: "overlayfs", exports: { root: "/fake/overlayfs" } },
          { type: "io.containerd.snapshotter.v1", id: "zfs", initErr: { code: 1, message: "no zfs here" } },
          { type: "io.containerd.content.v1", id: "content", exports: { root: "/fake/content" } },
        ],
      }),
    })
    .service(Images, {
      list: (_, context) => ({ images: of(context).images.map(toRecord) }),
      get({ name }, context) {
        const found = of(context).images.find((image) => image.name === name);
        if (!found) throw new ConnectError(`image "${name}": not found`, Code.NotFound);
        return { image: toRecord(found) };
      },
      delete({ name, target }, context) {
        const namespace = of(context);
        const found = namespace.images.find((image) => image.name === name);
        const compares = node.version.startsWith("v2") && target !== undefined;
        if (!found || (compares && found.target !== target.digest)) throw new ConnectError("not found", Code.NotFound);
        namespace.images = namespace.images.filter((image) => image !== found);
        return {};
      },
    })
    .service(Content, {
      async *list(_, context) {
        for (const part of chunked([...of(context).blobs])) {
          yield {
            info: part.map(([digest, { bytes, size, labels }]) => ({
              digest,
              size: BigInt(size ?? bytes.length),
              labels,
            })),
          };
        }
      },
      async *read({ digest }, context) {
        const blob = of(context).blobs.get(digest);
        if (!blob) throw new ConnectError(`content ${digest}: not found`, Code.NotFound);
        const middle = Math.floor(blob.bytes.length / 2);
        yield { data: blob.bytes.subarray(0, middle) };
        yield { data: blob.bytes.subarray(middle) };
      },
      listStatuses: (_, context) => ({
        statuses: of(context).expected.map((expected) => ({ expected, ref: expected })),
      }),
    });
}

function addWorkloads(router: ConnectRouter, node: FakeNode, of: NamespaceOf): void {
  router
    .service(Snapshots, {
      async *list({ filters }, context) {
        const wanted = of(context).snapshots.filter(({ kind }) => filters.length === 0 || kind !== undefined);
        for (const part of chunked(wanted)) yield { info: part.map(toInfo) };
      },
      usage({ key }, context) {
        return { size: BigInt(of(context).snapshots.find(({ name }) => name === key)?.size ?? 0) };
      },
      stat({ key }, context) {
        const found = of(context).snapshots.find(({ name }) => name === key);
        if (!found) throw new ConnectError("no such snapshot", Code.NotFound);
        return { info: toInfo(found) };
      },
    })
    .service(Containers, {
      list: (_, context) => ({ containers: of(context).containers.map(toContainer) }),
      async *listStream(_, context) {
        if (!node.containerStream) throw new ConnectError("unknown method ListStream", Code.Unimplemented);
        for (const container of of(context).containers) yield { container: toContainer(container) };
      },
    })
    .service(Tasks, { list: () => ({ tasks: [] }) })
    .service(Leases, {
      list: (_, context) => ({ leases: of(context).leases.map(({ id, labels = {} }) => ({ id, labels })) }),
      listResources: ({ id }, context) => ({
        resources: of(context).leases.find((one) => one.id === id)?.resources ?? [],
      }),
      create({ id, labels }, context) {
        of(context).leases.push({ id, labels });
        return { lease: { id } };
      },
      delete({ id }, context) {
        const namespace = of(context);
        namespace.leases = namespace.leases.filter((lease) => lease.id !== id);
        return {};
      },
    })
    .service(Events, {
      async *subscribe() {
        yield create(EnvelopeSchema, { namespace: "other", topic: "/images/create" });
        yield create(EnvelopeSchema, { namespace: "k8s.io", topic: "/snapshot/prepare" });
        yield create(EnvelopeSchema, { namespace: "k8s.io", topic: "/images/delete" });
        yield create(EnvelopeSchema, { namespace: "k8s.io", topic: "/tasks/exit" });
      },
    });
}

function* chunked<T>(items: readonly T[]): Iterable<readonly T[]> {
  for (let start = 0; start < items.length; start += 100) yield items.slice(start, start + 100);
}

function toRecord({ name, target, labels = {} }: FakeNamespace["images"][number]) {
  return { name, target: { digest: target, mediaType: "", size: 1n }, labels, createdAt: at, updatedAt: at };
}

function toInfo({ name, parent = "", kind, labels = {} }: FakeSnapshot) {
  const kinds = { active: Kind.ACTIVE, view: Kind.VIEW };
  return { name, parent, labels, createdAt: at, kind: kind === undefined ? Kind.COMMITTED : kinds[kind] };
}

function toContainer({ id, image = "", snapshotKey = "", labels = {}, extensions = {} }: FakeContainer) {
  return { id, image, snapshotKey, labels, extensions, snapshotter: snapshotKey === "" ? "" : "overlayfs" };
}
