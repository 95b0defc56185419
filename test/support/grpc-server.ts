// A real gRPC server over a real unix socket, for servers of our own making.
import { createServer, type ServerHttp2Session } from "node:http2";
import type { ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";

export interface GrpcServer {
  /** Breaks every connection, as a crash would. */
  stop(): Promise<void>;
}

/** Serves what `routes` adds at a socket. */
export async function serveGrpc(socket: string, routes: (router: ConnectRouter) => void): Promise<GrpcServer> {
  const server = createServer(connectNodeAdapter({ routes }));
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => sessions.add(session.on("close", () => sessions.delete(session))));
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
}
