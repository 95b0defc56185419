// Somebody who listens on a socket: stand-ins for every runtime, and for what is none.
import { mkdirSync, renameSync } from "node:fs";
import { createServer as createHttpServer, type OutgoingHttpHeaders } from "node:http";
import { createServer as createHttp2Server, type ServerHttp2Session } from "node:http2";
import { createServer, type Socket } from "node:net";
import { dirname } from "node:path";
import type { ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { Namespaces } from "../../src/runtime/containerd/gen/containerd/services/namespaces/v1/namespace_pb.js";
import { Version } from "../../src/runtime/containerd/gen/containerd/services/version/v1/version_pb.js";
import { RuntimeService } from "../../src/runtime/cri/gen/runtime/v1/api_pb.js";
import { emptyNamespace, fakeNode, serveFakeDaemon } from "../runtime/containerd/fake-daemon.ts";

/** Ends the server and its connections. */
export type Stop = () => Promise<void>;

/** A containerd that holds these namespaces, each empty. */
export async function serveContainerd(path: string, namespaces: readonly string[]): Promise<Stop> {
  mkdirSync(dirname(path), { recursive: true });
  const content = Object.fromEntries(namespaces.map((name) => [name, emptyNamespace()]));
  return (await serveFakeDaemon(path, fakeNode(content, "v2.1.4"))).stop;
}

/** A runtime that speaks nothing but CRI. */
export function serveCri(path: string, runtimeName: string, runtimeVersion = "1.33.1"): Promise<Stop> {
  const version = () => ({ version: "0.1.0", runtimeName, runtimeVersion, runtimeApiVersion: "v1" });
  // Like any gRPC server it answers "unimplemented" to what it does not know; the adapter alone would say 404.
  const routes = (router: ConnectRouter) =>
    void router.service(Version, {}).service(Namespaces, {}).service(RuntimeService, { version });
  const server = createHttp2Server(connectNodeAdapter({ routes }));
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => sessions.add(session.on("close", () => sessions.delete(session))));
  return listening(server, path, () => {
    for (const session of sessions) session.destroy();
  });
}

/** A runtime from before CRI v1alpha2: it has a CRI, but none of the services that prunelet asks. */
export function serveOldCri(path: string): Promise<Stop> {
  const sessions = new Set<ServerHttp2Session>();
  const server = createHttp2Server((_request, response) => {
    response.writeHead(200, {
      "content-type": "application/grpc",
      "grpc-status": "12",
      "grpc-message": "unknown service",
    });
    response.end();
  });
  server.on("session", (session) => sessions.add(session.on("close", () => sessions.delete(session))));
  return listening(server, path, () => {
    for (const session of sessions) session.destroy();
  });
}

/** An engine of 2016: its newest API is older than prunelet's oldest. */
export function serveOldDocker(path: string): Promise<Stop> {
  const body = { Version: "1.11.2", ApiVersion: "1.23" };
  return serveHttp(path, JSON.stringify(body), { "api-version": body.ApiVersion });
}

/** What an engine answers to `GET /version`; anything else is not found. */
export function serveDocker(path: string, engine: "Engine" | "Podman Engine" = "Engine"): Promise<Stop> {
  const body = { Version: "28.5.2", ApiVersion: "1.51", MinAPIVersion: "1.24", Components: [{ Name: engine }] };
  return serveHttp(path, JSON.stringify(body));
}

/** A web server that says the same to everybody. */
export function serveHttp(path: string, body: string, headers: OutgoingHttpHeaders = {}): Promise<Stop> {
  const server = createHttpServer((_request, response) => response.writeHead(200, headers).end(body));
  return listening(server, path, () => server.closeAllConnections());
}

/** Accepts connections and never says anything. */
export function serveSilence(path: string): Promise<Stop> {
  return serveBytes(path, () => undefined);
}

/** Says something that no protocol knows, and hangs up. */
export function serveNonsense(path: string): Promise<Stop> {
  return serveBytes(path, (socket) => socket.end("hello\n"));
}

function serveBytes(path: string, greet: (socket: Socket) => unknown): Promise<Stop> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    greet(socket);
  });
  return listening(server, path, () => {
    for (const socket of sockets) socket.destroy();
  });
}

/** A socket whose server is gone. */
export async function leaveSocket(path: string): Promise<void> {
  const draft = `${path}.draft`;
  const stop = await listening(createServer(), draft, () => undefined);
  // Closing removes the path that was listened on: another name stays.
  renameSync(draft, path);
  await stop();
}

interface Listener {
  listen(path: string, done: () => void): unknown;
  close(done: () => void): unknown;
}

async function listening(server: Listener, path: string, disconnect: () => void): Promise<Stop> {
  mkdirSync(dirname(path), { recursive: true });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return () =>
    new Promise((resolve) => {
      server.close(resolve);
      disconnect();
    });
}
