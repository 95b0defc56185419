// A way to a CRI server: its clients, and calls that have deadlines and one kind of error.
import type { Transport, CallOptions as WireOptions } from "@connectrpc/connect";
import { type CallObserver, type CallSpec, grpcOver, makeCall, type Scope } from "../wire/calls.ts";
import { SocketSession } from "../wire/socket-session.ts";
import { type CriClients, type CriVersion, criClients } from "./services.ts";

export interface CriChannel {
  /** The clients of one API version. */
  clients(version: CriVersion): CriClients;
  /** Makes one call. Everything thrown in `work` comes out as a `RuntimeError`. */
  call<T>(spec: CallSpec, scope: Scope, work: (options: WireOptions) => Promise<T>): Promise<T>;
}

/** The clients of each version, made once. */
export function clientsOver(transport: Transport): CriChannel["clients"] {
  const made = new Map<CriVersion, CriClients>();
  return (version) => {
    const clients = made.get(version) ?? criClients(transport, version);
    made.set(version, clients);
    return clients;
  };
}

/** A connection of its own to the socket at `path`. Opens it with the first call, and again when it broke. */
export function openCriChannel(path: string, onCall: CallObserver = () => {}): CriChannel & { close(): void } {
  const sessions = new SocketSession(path);
  const transport = grpcOver(sessions);
  const destination = { path, server: "the runtime", onCall };
  return {
    clients: clientsOver(transport),
    call: (spec, scope, work) => makeCall(destination, { spec, scope }, work),
    close: () => sessions.close(),
  };
}
