// Asks whoever listens on a socket what it is: containerd, a CRI runtime, or something with Docker's HTTP interface. The client of a
// protocol is loaded when it is spoken.
import { stat } from "node:fs/promises";
import { connect } from "node:net";
import type { Address } from "./docker/endpoint.ts";
import type { Environment, LiveRuntimeKind } from "./known-sockets.ts";
import { RuntimeError, type RuntimeErrorCode } from "./runtime-error.ts";

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

/** Asks an engine that is reached over TCP, as `DOCKER_HOST` and its companions tell. Never throws either. */
export async function askEngine(endpoint: string, env: Environment, timeoutMs = defaultTimeout): Promise<SocketAnswer> {
  try {
    const { parseEndpoint, tlsFromEnvironment } = await import("./docker/endpoint.ts");
    const heard = await hearEngine(parseEndpoint(endpoint, tlsFromEnvironment(env), "DOCKER_HOST"), timeoutMs);
    if (typeof heard !== "string") return heard;
    const silent = heard === "silence";
    const why = silent ? `gives no answer within ${timeoutMs / 1000} s` : "is not reached, or is no Docker Engine";
    return { kind: "no-answer", code: silent ? "timeout" : "unavailable", why: `${why}: check DOCKER_HOST` };
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    return { kind: "no-answer", code: error.code, why: error.message };
  }
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

/** containerd's own interface first: it speaks CRI as well. */
async function askGrpc(path: string, timeoutMs: number): Promise<Heard> {
  try {
    return (await asContainerd(path, timeoutMs)) ?? (await asCri(path, timeoutMs)) ?? "another-protocol";
  } catch (error) {
    return error instanceof RuntimeError && error.code === "timeout" ? "silence" : "another-protocol";
  }
}

async function asContainerd(path: string, timeoutMs: number): Promise<Answering | undefined> {
  const { openConnection } = await import("./containerd/connection.ts");
  const { scopeOf } = await import("./wire/calls.ts");
  const scope = scopeOf({ timeoutMs });
  const { call, clients, close } = openConnection(path);
  try {
    const { version } = await call({ operation: "version" }, scope, (wire) => clients.version.version({}, wire));
    const listed = await call({ operation: "list namespaces" }, scope, (wire) => clients.namespaces.list({}, wire));
    const namespaces = listed.namespaces.map(({ name }) => name);
    return {
      kind: "runtime",
      speaks: "containerd",
      name: "containerd",
      version: version.replace(/^v/, ""),
      namespaces,
    };
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "unsupported") return undefined;
    throw error;
  } finally {
    close();
  }
}

async function asCri(path: string, timeoutMs: number): Promise<Answering | undefined> {
  const { openCriChannel } = await import("./cri/cri-channel.ts");
  const { CriLink } = await import("./cri/cri-link.ts");
  const { scopeOf } = await import("./wire/calls.ts");
  const channel = openCriChannel(path);
  try {
    const found = await new CriLink(channel).probe(scopeOf({ timeoutMs }));
    if (found === undefined) return undefined;
    return { kind: "runtime", speaks: "cri", name: found.runtime, version: found.version, namespaces: [] };
  } finally {
    channel.close();
  }
}

/** As far as it matters here (Docker Engine API, `SystemVersion`). */
interface EngineVersion {
  readonly Version?: unknown;
  readonly ApiVersion?: unknown;
  readonly Components?: readonly { readonly Name?: unknown }[];
}

function askHttp(path: string, timeoutMs: number): Promise<Heard> {
  return hearEngine({ kind: "unix", path }, timeoutMs);
}

async function hearEngine(address: Address, timeoutMs: number): Promise<Heard> {
  const { createHttpClient } = await import("./docker/http-client.ts");
  const client = createHttpClient(address);
  try {
    return readVersion((await client.call({ operation: "version", path: "/version" }, { timeoutMs })).text);
  } catch (error) {
    return error instanceof RuntimeError && error.code === "timeout" ? "silence" : "another-protocol";
  } finally {
    client.close();
  }
}

function readVersion(text: string): Heard {
  const { Version: version, ApiVersion, Components } = readObject(text);
  if (typeof version !== "string" || typeof ApiVersion !== "string") return "another-protocol";
  const isPodman = Array.isArray(Components) && Components.some((one) => one?.Name === "Podman Engine");
  return { kind: "runtime", speaks: "docker", name: isPodman ? "Podman" : "Docker Engine", version, namespaces: [] };
}

function readObject(text: string): EngineVersion {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
