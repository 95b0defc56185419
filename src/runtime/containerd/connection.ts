// The connection to the daemon: gRPC over a unix socket, with a deadline, a namespace and one kind of error on every call.
import type { DescMethod, MessageShape } from "@bufbuild/protobuf";
import { type Client, createClient, type CallOptions as WireOptions } from "@connectrpc/connect";
import { type CriChannel, clientsOver as criClientsOver } from "../cri/cri-channel.ts";
import {
  type CallObserver,
  type CallSpec as CommonCallSpec,
  type Destination,
  follow,
  grpcOver,
  makeCall,
  type Scope,
} from "../wire/calls.ts";
import { SocketSession } from "../wire/socket-session.ts";
import { Containers } from "./gen/containerd/services/containers/v1/containers_pb.js";
import { Content } from "./gen/containerd/services/content/v1/content_pb.js";
import { Events } from "./gen/containerd/services/events/v1/events_pb.js";
import { Images } from "./gen/containerd/services/images/v1/images_pb.js";
import { Introspection } from "./gen/containerd/services/introspection/v1/introspection_pb.js";
import { Leases } from "./gen/containerd/services/leases/v1/leases_pb.js";
import { Namespaces } from "./gen/containerd/services/namespaces/v1/namespace_pb.js";
import { Snapshots } from "./gen/containerd/services/snapshots/v1/snapshots_pb.js";
import { Tasks } from "./gen/containerd/services/tasks/v1/tasks_pb.js";
import { Version } from "./gen/containerd/services/version/v1/version_pb.js";
import { collectLean, type LeanRequest, leanCall } from "./lean-call.ts";

/** One call: what it is called in metrics and errors, where, and how long it may take. */
export interface CallSpec extends CommonCallSpec {
  readonly namespace?: string;
}

interface Clients {
  readonly version: Client<typeof Version>;
  readonly namespaces: Client<typeof Namespaces>;
  readonly images: Client<typeof Images>;
  readonly content: Client<typeof Content>;
  readonly snapshots: Client<typeof Snapshots>;
  readonly containers: Client<typeof Containers>;
  readonly tasks: Client<typeof Tasks>;
  readonly leases: Client<typeof Leases>;
  readonly introspection: Client<typeof Introspection>;
  readonly events: Client<typeof Events>;
}

export interface Connection {
  readonly clients: Clients;
  /** CRI on the same socket. */
  readonly cri: CriChannel;
  /** Makes one call. Everything thrown in `work` comes out as a `RuntimeError`. */
  call<T>(spec: CallSpec, scope: Scope, work: (options: WireOptions) => Promise<T>): Promise<T>;
  /** Makes one call of a kind that is made by the thousand; collects every message of the answer. */
  collect<M extends DescMethod>(
    spec: CallSpec & { readonly namespace: string },
    scope: Scope,
    request: LeanRequest<M>,
  ): Promise<readonly MessageShape<M["output"]>[]>;
  /** Makes one call whose answer is long; calls `visit` with the bytes of each message as it arrives. */
  read<M extends DescMethod>(
    spec: CallSpec & { readonly namespace: string },
    scope: Scope,
    request: LeanRequest<M>,
    visit: (message: Buffer) => void,
  ): Promise<void>;
  /** Follows an endless stream until `signal` fires, then ends; throws a `RuntimeError` when it breaks. */
  stream<T>(spec: CallSpec, signal: AbortSignal, open: (options: WireOptions) => AsyncIterable<T>): AsyncIterable<T>;
  close(): void;
}

/** A connection to the socket at `path`. Opens it with the first call, and again when it broke. */
export function openConnection(path: string, onCall: CallObserver = () => {}): Connection {
  const sessions = new SocketSession(path);
  const transport = grpcOver(sessions);
  const destination: Destination = { path, server: "containerd", onCall };
  return {
    clients: clientsOver(transport),
    cri: {
      clients: criClientsOver(transport),
      call: (spec, scope, work) => makeCall(destination, { spec, scope }, work),
    },
    call: (spec, scope, work) =>
      makeCall(destination, { spec, scope }, (options) => work({ ...options, ...namespaceHeader(spec) })),
    collect: (spec, scope, request) =>
      makeCall(destination, { spec, scope }, ({ timeoutMs }) =>
        collectLean(sessions, request, { namespace: spec.namespace, timeoutMs, signal: scope.signal }),
      ),
    read: (spec, scope, request, visit) =>
      makeCall(destination, { spec, scope }, ({ timeoutMs }) =>
        leanCall(sessions, request, { namespace: spec.namespace, timeoutMs, signal: scope.signal }, visit),
      ),
    stream: ({ operation }, signal, open) => follow(destination, { operation, signal }, open),
    close: () => sessions.close(),
  };
}

function clientsOver(transport: ReturnType<typeof grpcOver>): Clients {
  return {
    version: createClient(Version, transport),
    namespaces: createClient(Namespaces, transport),
    images: createClient(Images, transport),
    content: createClient(Content, transport),
    snapshots: createClient(Snapshots, transport),
    containers: createClient(Containers, transport),
    tasks: createClient(Tasks, transport),
    leases: createClient(Leases, transport),
    introspection: createClient(Introspection, transport),
    events: createClient(Events, transport),
  };
}

function namespaceHeader({ namespace }: CallSpec): Pick<WireOptions, "headers"> {
  return namespace === undefined ? {} : { headers: { "containerd-namespace": namespace } };
}
