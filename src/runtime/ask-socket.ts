// Asks whoever listens on a socket what it is: containerd, a CRI runtime, or something with Docker's HTTP interface.
import { stat } from "node:fs/promises";
import { request } from "node:http";
import { connect } from "node:net";
import type { DescMethod, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { Namespaces } from "./containerd/gen/containerd/services/namespaces/v1/namespace_pb.js";
import { Version } from "./containerd/gen/containerd/services/version/v1/version_pb.js";
import { collectLean, type LeanRequest } from "./containerd/lean-call.ts";
import { criServices, criVersions } from "./cri/services.ts";
import type { LiveRuntimeKind } from "./known-sockets.ts";
import type { RuntimeErrorCode } from "./runtime-error.ts";
import { SocketSession } from "./wire/socket-session.ts";

/** A runtime that answered. */
export interface Answering {
  readonly kind: "runtime";
  readonly speaks: LiveRuntimeKind;
  /** Its own name: `containerd`, `cri-o`, `Docker Engine`, `Podman Engine`. */
  readonly name: string;
  readonly version: string;
  /** containerd's namespaces; empty for others. */
  readonly namespaces: readonly string[];
}

/** There is something, but no runtime that answers. */
export interface NotAnswering {
  readonly kind: "no-answer";
  readonly code: RuntimeErrorCode;
  /** What is wrong with it, and the mend. */
  readonly why: string;
}

export type SocketAnswer = Answering | NotAnswering | { readonly kind: "nothing-there" };

export interface AskOptions {
  /** What is expected and asked for first. */
  readonly expected?: LiveRuntimeKind;
  /** Milliseconds for one question. */
  readonly timeoutMs?: number;
}

/** What one protocol brought. */
type Heard = Answering | "silence" | "another-protocol";

const defaultTimeout = 2_000;

/** Connects and asks. Never throws: whatever goes wrong is an answer. */
export async function askSocket(path: string, options: AskOptions = {}): Promise<SocketAnswer> {
  const { expected, timeoutMs = defaultTimeout } = options;
  const obstacle = await obstacleAt(path, timeoutMs);
  if (obstacle !== undefined) return obstacle;
  const questions = expected === "docker" ? [askHttp, askGrpc] : [askGrpc, askHttp];
  for (const ask of questions) {
    const heard = await ask(path, timeoutMs);
    if (heard === "silence") {
      const why = `accepts connections and gives no answer within ${timeoutMs / 1000} s: it hangs or is overloaded, look at its log`;
      return { kind: "no-answer", code: "timeout", why };
    }
    if (heard !== "another-protocol") return heard;
  }
  const why = "speaks neither gRPC as containerd and CRI do nor Docker's HTTP: it is no container runtime or too old";
  return { kind: "no-answer", code: "unsupported", why };
}

const obstacles: Readonly<Record<string, NotAnswering | { readonly kind: "nothing-there" }>> = {
  ENOENT: { kind: "nothing-there" },
  ENOTDIR: { kind: "nothing-there" },
  EACCES: { kind: "no-answer", code: "denied", why: "permission denied: run as root, or as a user who may talk to it" },
  ECONNREFUSED: {
    kind: "no-answer",
    code: "unavailable",
    why: "nobody listens: the socket is left from an earlier run, start the runtime",
  },
};

/** Why no connection can be made; undefined when it can. */
async function obstacleAt(path: string, timeoutMs: number): Promise<SocketAnswer | undefined> {
  try {
    const found = await stat(path);
    if (!found.isSocket()) return { kind: "no-answer", code: "unavailable", why: "is not a socket" };
    await tryConnection(path, timeoutMs);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const why = error instanceof Error ? error.message : String(error);
    return obstacles[code] ?? { kind: "no-answer", code: "unavailable", why };
  }
}

function tryConnection(path: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error("takes no connections: it hangs or is overloaded")));
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}

async function askGrpc(path: string, timeoutMs: number): Promise<Heard> {
  const session = new SocketSession(path);
  const call = <M extends DescMethod>(method: M, input: MessageInitShape<M["input"]>) =>
    firstAnswer(session, { method, input, timeoutMs });
  try {
    return (await asContainerd(call)) ?? (await asCri(call)) ?? "another-protocol";
  } catch (error) {
    return error instanceof ConnectError && error.code === Code.DeadlineExceeded ? "silence" : "another-protocol";
  } finally {
    session.close();
  }
}

type Call = <M extends DescMethod>(
  method: M,
  input: MessageInitShape<M["input"]>,
) => Promise<MessageShape<M["output"]> | undefined>;

async function asContainerd(call: Call): Promise<Answering | undefined> {
  const answer = await call(Version.method.version, {});
  if (answer === undefined) return undefined;
  const listed = await call(Namespaces.method.list, {});
  const namespaces = (listed?.namespaces ?? []).map(({ name }) => name);
  return { kind: "runtime", speaks: "containerd", name: "containerd", version: bare(answer.version), namespaces };
}

async function asCri(call: Call): Promise<Answering | undefined> {
  for (const api of criVersions) {
    const answer = await call(criServices(api).runtime.method.version, { version: "v1" });
    if (answer === undefined) continue;
    const { runtimeName: name, runtimeVersion } = answer;
    return { kind: "runtime", speaks: "cri", name, version: bare(runtimeVersion), namespaces: [] };
  }
  return undefined;
}

interface Question<M extends DescMethod> extends LeanRequest<M> {
  readonly timeoutMs: number;
}

/** Undefined when the server speaks gRPC and does not know the method. */
async function firstAnswer<M extends DescMethod>(
  session: SocketSession,
  { timeoutMs, ...request }: Question<M>,
): Promise<MessageShape<M["output"]> | undefined> {
  try {
    // containerd wants a namespace named with every call; these do not depend on one.
    const [answer] = await collectLean(session, request, { namespace: "default", timeoutMs, signal: undefined });
    return answer;
  } catch (error) {
    if (error instanceof ConnectError && error.code === Code.Unimplemented) return undefined;
    throw error;
  }
}

/** As far as it matters here (Docker Engine API, `SystemVersion`). */
interface EngineVersion {
  readonly Version?: unknown;
  readonly ApiVersion?: unknown;
  readonly Components?: readonly { readonly Name?: unknown }[];
}

async function askHttp(path: string, timeoutMs: number): Promise<Heard> {
  const answer = await getVersion(path, timeoutMs);
  if (typeof answer === "string") return answer;
  const { Version: version, ApiVersion, Components } = answer;
  if (typeof version !== "string" || typeof ApiVersion !== "string") return "another-protocol";
  const isPodman = Array.isArray(Components) && Components.some((one) => one?.Name === "Podman Engine");
  const name = isPodman ? "Podman" : "Docker Engine";
  return { kind: "runtime", speaks: "docker", name, version, namespaces: [] };
}

function getVersion(socketPath: string, timeoutMs: number): Promise<EngineVersion | "silence" | "another-protocol"> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const call = request({ socketPath, path: "/version", headers: { host: "docker" }, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", () => resolve(signal.aborted ? "silence" : "another-protocol"));
      response.on("end", () => resolve(readObject(Buffer.concat(chunks).toString("utf8"))));
    });
    call.on("error", () => resolve(signal.aborted ? "silence" : "another-protocol"));
    call.end();
  });
}

function readObject(text: string): EngineVersion | "another-protocol" {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : "another-protocol";
  } catch {
    return "another-protocol";
  }
}

function bare(version: string): string {
  return version.replace(/^v/, "");
}
