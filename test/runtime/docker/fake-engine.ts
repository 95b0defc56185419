// An engine in memory behind a real socket: answers as Docker does, and misbehaves on demand.
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { join } from "node:path";
import { createTempFolder } from "../../support/temp.ts";

export interface FakeImage {
  readonly Id: string;
  RepoTags: string[];
  RepoDigests?: string[];
  readonly Size?: number;
  readonly SharedSize?: number;
  readonly ParentId?: string;
}

/** Answers one request in its own way; false leaves it to the engine. */
export type Fault = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface FakeEngine {
  readonly endpoint: string;
  readonly path: string;
  /** Method and path of every request, in order, without the version and the query. */
  readonly requests: readonly string[];
  images: FakeImage[];
  containers: { Id: string; ImageID: string; State: string; image: string }[];
  apiVersion: string | undefined;
  driverStatus: string[][];
  fault: Fault | undefined;
  /** Sends a line to everyone who watches events. */
  tell(event: unknown): void;
  /** Ends all connections and stops listening. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the engine on a socket of its own. */
export async function startFakeEngine(): Promise<FakeEngine> {
  const folder = createTempFolder();
  const path = join(folder.path, "docker.sock");
  const watchers = new Set<ServerResponse>();
  const requests: string[] = [];
  let server: Server | undefined;
  const sockets = new Set<Socket>();
  const engine: FakeEngine = {
    endpoint: `unix://${path}`,
    path,
    requests,
    images: [],
    containers: [],
    apiVersion: "1.45",
    driverStatus: [],
    fault: undefined,
    tell: (event) => {
      for (const watcher of watchers) watcher.write(`${JSON.stringify(event)}\n`);
    },
    async goAway() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server?.close(resolve));
    },
    async comeBack() {
      server = createServer(answer);
      server.on("connection", (socket) => {
        sockets.add(socket);
        socket.on("close", () => sockets.delete(socket));
      });
      await new Promise<void>((resolve) => server?.listen(path, resolve));
    },
    async stop() {
      await engine.goAway();
      folder.remove();
    },
  };
  const answer: RequestListener = (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://docker");
    const bare = decodeURIComponent(pathname.replace(/^\/v[\d.]+/, ""));
    requests.push(`${request.method} ${bare}`);
    if (engine.fault?.(request, response)) return;
    if (engine.apiVersion !== undefined) response.setHeader("api-version", engine.apiVersion);
    if (bare === "/events") {
      watchers.add(response);
      response.on("close", () => watchers.delete(response));
      response.flushHeaders();
      return;
    }
    const [status, body] = answerOf(engine, request.method ?? "GET", bare);
    response.statusCode = status;
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
  await engine.comeBack();
  return engine;
}

type Answer = readonly [status: number, body: unknown];

function answerOf(engine: FakeEngine, method: string, path: string): Answer {
  if (path === "/_ping") return [200, "OK"];
  if (path === "/info") {
    const { driverStatus: DriverStatus } = engine;
    return [200, { ServerVersion: "26.0.0", Driver: "overlay2", DriverStatus, DockerRootDir: "/nonexistent" }];
  }
  if (path === "/images/json") return [200, engine.images];
  if (path === "/containers/json") return [200, engine.containers];
  const container = engine.containers.find(({ Id }) => path === `/containers/${Id}/json`);
  if (container !== undefined) return [200, { Config: { Image: container.image } }];
  const name = /^\/images\/(.+?)(?:\/json)?$/.exec(path)?.[1] ?? "";
  return method === "DELETE" ? removal(engine, name) : inspection(engine, name);
}

function inspection(engine: FakeEngine, name: string): Answer {
  const found = findImage(engine, name);
  return found === undefined ? noSuchImage(name) : [200, found];
}

function removal(engine: FakeEngine, asked: string): Answer {
  const [name, target] = comparison(engine, asked);
  const found = findImage(engine, name);
  if (found === undefined || (target !== undefined && found.Id !== target)) return noSuchImage(asked);
  found.RepoTags = found.RepoTags.filter((tag) => fullName(tag) !== name);
  if (found.RepoTags.length > 0) return [200, [{ Untagged: name }]];
  engine.images = engine.images.filter((image) => image !== found);
  return [200, [{ Untagged: name }, { Deleted: found.Id }]];
}

/** The containerd image store takes `repository:tag@target` as the tag, if it points there. */
function comparison({ driverStatus }: FakeEngine, asked: string): readonly [name: string, target?: string] {
  const [, name, target] = /^(.+:[^/]+)@(sha256:[0-9a-f]{64})$/.exec(asked) ?? [];
  return driverStatus.length > 0 && name !== undefined && target !== undefined ? [name, target] : [asked];
}

function findImage({ images }: FakeEngine, name: string): FakeImage | undefined {
  return images.find(({ Id, RepoTags, RepoDigests = [] }) => {
    return Id === name || [...RepoTags, ...RepoDigests].some((one) => fullName(one) === name);
  });
}

function noSuchImage(name: string): Answer {
  return [404, { message: `No such image: ${name}` }];
}

function fullName(name: string): string {
  return name.includes("/") ? name : `docker.io/library/${name}`;
}
