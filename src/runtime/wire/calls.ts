// What all gRPC adapters share about a call: its name, its deadline, who is told about it, and the one kind of error it fails with.
import type { CallOptions as WireOptions } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import type { CallOptions } from "../runtime.ts";
import { RuntimeError } from "../runtime-error.ts";
import { toRuntimeError } from "./errors.ts";
import type { SocketSession } from "./socket-session.ts";

/** Daemons accept and send up to 16 MiB; streams may carry more in one message on patched builds. */
const maxReceiveBytes = 64 << 20;
const maxSendBytes = 16 << 20;

/** Milliseconds that a call may take when nobody says otherwise. */
export const deadlines = { unary: 10_000, list: 60_000, removal: 120_000, collection: 300_000 } as const;

/** Told about every call: its name, how long it took in seconds, and how it failed. */
export type CallObserver = (call: string, seconds: number, error?: RuntimeError) => void;

/** One call: what it is called in metrics and errors, and how long it may take. */
export interface CallSpec {
  readonly operation: string;
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

/** Where calls go, and who hears of them. */
export interface Destination {
  /** Path of the socket. */
  readonly path: string;
  /** What errors call the program behind it, e.g. `containerd`. */
  readonly server: string;
  readonly onCall: CallObserver;
}

/** Makes one call. Everything thrown in `work` comes out as a `RuntimeError`. */
export function makeCall<T>(
  destination: Destination,
  { spec, scope }: { readonly spec: CallSpec; readonly scope: Scope },
  work: (options: WireOptions & { readonly timeoutMs: number }) => Promise<T>,
): Promise<T> {
  return measured(spec, destination.onCall, () => withDeadline(destination, { spec, scope }, work));
}

/** Follows an endless stream until `signal` fires, then ends; throws a `RuntimeError` when it breaks. */
export async function* follow<T>(
  { path, server }: Destination,
  { operation, signal }: { readonly operation: string; readonly signal: AbortSignal },
  open: (options: WireOptions) => AsyncIterable<T>,
): AsyncIterable<T> {
  if (signal.aborted) return;
  try {
    yield* open({ signal });
  } catch (error) {
    if (!signal.aborted) {
      throw toRuntimeError(error, { operation, socket: path, server, timeoutMs: 0, stopped: false });
    }
  }
}

/** The transport of clients over a unix socket. */
export function grpcOver(sessionManager: SocketSession): ReturnType<typeof createGrpcTransport> {
  return createGrpcTransport({
    baseUrl: "http://localhost",
    sessionManager,
    acceptCompression: [],
    readMaxBytes: maxReceiveBytes,
    writeMaxBytes: maxSendBytes,
    // Container records carry their whole runtime spec: fields that we do not name are skipped, not kept.
    binaryOptions: { readUnknownFields: false },
  });
}

async function withDeadline<T>(
  { path, server }: Destination,
  { spec, scope }: { readonly spec: CallSpec; readonly scope: Scope },
  work: (options: WireOptions & { readonly timeoutMs: number }) => Promise<T>,
): Promise<T> {
  const allowed = deadlines[spec.deadline ?? "unary"];
  const left = scope.endsAt - performance.now();
  const timeoutMs = Math.ceil(Math.min(allowed, left));
  if (timeoutMs <= 0) {
    throw new RuntimeError("timeout", spec.operation, "no time was left for this call: allow more time");
  }
  try {
    return await work(scope.signal === undefined ? { timeoutMs } : { timeoutMs, signal: scope.signal });
  } catch (error) {
    const { operation } = spec;
    const stopped = scope.signal?.aborted ?? false;
    throw toRuntimeError(error, { operation, socket: path, server, timeoutMs, stopped });
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
