// The connection to the daemon: gRPC over a unix socket, with a deadline, a namespace and one kind of error on every call.
import { type DescMethod, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { type Client, createClient, type CallOptions as WireOptions } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ImageService, RuntimeService } from "../cri/gen/runtime/v1/api_pb.js";
import type { CallOptions } from "../runtime.ts";
import { RuntimeError } from "../runtime-error.ts";
import { toRuntimeError } from "./errors.ts";
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
import { type LeanRequest, leanCall } from "./lean-call.ts";
import { SocketSession } from "./socket-session.ts";

/** The daemon accepts and sends up to 16 MiB; streams may carry more in one message on patched builds. */
const maxReceiveBytes = 64 << 20;
const maxSendBytes = 16 << 20;

/** Milliseconds that a call may take when nobody says otherwise. */
export const deadlines = { unary: 10_000, list: 60_000, collection: 300_000 } as const;

/** Told about every call: its name, how long it took in seconds, and how it failed. */
export type CallObserver = (call: string, seconds: number, error?: RuntimeError) => void;

/** One call: what it is called in metrics and errors, where, and how long it may take. */
export interface CallSpec {
  readonly operation: string;
  readonly namespace?: string;
  /** Default `unary`. */
  readonly deadline?: keyof typeof deadlines;
}

/** What the calls of one method of the port share: when they must be over, and what stops them. */
export interface Scope {
  readonly signal?: AbortSignal;
  /** On the clock of `performance.now()`, milliseconds. */
  readonly endsAt: number;
}

/** The scope of one method of the port, starting now. */
export function scopeOf(options: CallOptions | undefined): Scope {
  const endsAt = options?.timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + options.timeoutMs;
  return options?.signal ? { endsAt, signal: options.signal } : { endsAt };
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
  readonly criRuntime: Client<typeof RuntimeService>;
  readonly criImages: Client<typeof ImageService>;
}

export interface Connection {
  readonly clients: Clients;
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
  const read: Connection["read"] = (spec, scope, request, visit) =>
    measured(spec, onCall, () =>
      withDeadline({ path, spec, scope }, ({ timeoutMs = deadlines.unary }) =>
        leanCall(sessions, request, { namespace: spec.namespace, timeoutMs, signal: scope.signal }, visit),
      ),
    );
  return {
    clients: clientsOver(sessions),
    call: (spec, scope, work) => measured(spec, onCall, () => withDeadline({ path, spec, scope }, work)),
    read,
    collect: async <M extends DescMethod>(
      spec: CallSpec & { readonly namespace: string },
      scope: Scope,
      request: LeanRequest<M>,
    ) => {
      const output: M["output"] = request.method.output;
      const messages: MessageShape<M["output"]>[] = [];
      await read(spec, scope, request, (bytes) => {
        messages.push(fromBinary(output, bytes, { readUnknownFields: false }));
      });
      return messages;
    },
    stream: (spec, signal, open) => follow({ path, spec }, signal, open),
    close: () => sessions.close(),
  };
}

function clientsOver(sessionManager: SocketSession): Clients {
  const transport = createGrpcTransport({
    baseUrl: "http://localhost",
    sessionManager,
    acceptCompression: [],
    readMaxBytes: maxReceiveBytes,
    writeMaxBytes: maxSendBytes,
    // Container records carry their whole runtime spec: fields that we do not name are skipped, not kept.
    binaryOptions: { readUnknownFields: false },
  });
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
    criRuntime: createClient(RuntimeService, transport),
    criImages: createClient(ImageService, transport),
  };
}

interface Target {
  readonly path: string;
  readonly spec: CallSpec;
  readonly scope: Scope;
}

async function withDeadline<T>(target: Target, work: (options: WireOptions) => Promise<T>): Promise<T> {
  const { path, spec, scope } = target;
  const allowed = deadlines[spec.deadline ?? "unary"];
  const left = scope.endsAt - performance.now();
  const timeoutMs = Math.ceil(Math.min(allowed, left));
  if (timeoutMs <= 0) {
    throw new RuntimeError("timeout", spec.operation, "no time was left for this call: allow more time");
  }
  try {
    return await work(wireOptions(target, timeoutMs));
  } catch (error) {
    throw toRuntimeError(error, {
      operation: spec.operation,
      socket: path,
      timeoutMs,
      stopped: scope.signal?.aborted ?? false,
    });
  }
}

function wireOptions({ spec, scope }: Target, timeoutMs: number): WireOptions {
  const options: WireOptions = { timeoutMs };
  if (scope.signal) options.signal = scope.signal;
  if (spec.namespace !== undefined) options.headers = { "containerd-namespace": spec.namespace };
  return options;
}

async function* follow<T>(
  { path, spec }: Pick<Target, "path" | "spec">,
  signal: AbortSignal,
  open: (options: WireOptions) => AsyncIterable<T>,
): AsyncIterable<T> {
  if (signal.aborted) return;
  try {
    yield* open({ signal });
  } catch (error) {
    if (!signal.aborted)
      throw toRuntimeError(error, { operation: spec.operation, socket: path, timeoutMs: 0, stopped: false });
  }
}

async function measured<T>(spec: CallSpec, onCall: CallObserver, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1000;
  try {
    const result = await work();
    onCall(spec.operation, seconds());
    return result;
  } catch (error) {
    onCall(spec.operation, seconds(), error as RuntimeError);
    throw error;
  }
}
