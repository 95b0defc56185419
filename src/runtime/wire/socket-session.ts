// One HTTP/2 session over a unix socket, opened when it is needed and again when it broke.
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from "node:http2";
import { connect as connectSocket } from "node:net";

type RequestOptions = NonNullable<Parameters<ClientHttp2Session["request"]>[1]>;

/** Large lists come faster with a window larger than HTTP/2's 64 KiB. */
const windowBytes = 1 << 20;

/**
 * What connect-node asks for sessions. Its own manager stops listening once the session is open, so that a server that
 * speaks no HTTP/2 ends the whole process with an unheard error; this one listens until the end.
 */
export class SocketSession {
  readonly authority = "http://localhost";
  readonly #path: string;
  #opening: Promise<ClientHttp2Session> | undefined;
  #session: ClientHttp2Session | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async request(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    options: RequestOptions,
  ): Promise<ClientHttp2Stream> {
    const session = await this.#ready();
    const stream = session.request({ ...headers, ":method": method, ":path": path }, options);
    this.#keepAliveDuring(session, stream);
    return stream;
  }

  /** Nothing to do: deadlines tell that a daemon hangs, and containerd punishes pings that come too often. */
  notifyResponseByteRead(): void {}

  close(): void {
    this.#session?.destroy();
    this.#forget(this.#session);
  }

  #ready(): Promise<ClientHttp2Session> {
    if (this.#session && (this.#session.closed || this.#session.destroyed)) this.#forget(this.#session);
    this.#opening ??= this.#open();
    return this.#opening;
  }

  #open(): Promise<ClientHttp2Session> {
    const session = connect(this.authority, {
      createConnection: () => connectSocket(this.#path),
      settings: { initialWindowSize: windowBytes },
      maxSessionMemory: 128,
    });
    this.#session = session;
    session.on("close", () => this.#forget(session));
    return new Promise((resolve, reject) => {
      session.on("connect", () => {
        // The window of the whole connection, which the settings do not reach.
        session.setLocalWindowSize(windowBytes);
        resolve(session);
      });
      session.on("error", (error) => {
        this.#forget(session);
        reject(error);
      });
      session.on("close", () => reject(new Error("the connection was closed")));
      // An idle connection does not keep the process alive.
      session.unref();
    });
  }

  #forget(session: ClientHttp2Session | undefined): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    this.#opening = undefined;
  }

  #keepAliveDuring(session: ClientHttp2Session, stream: ClientHttp2Stream): void {
    const streams = (openStreams.get(session) ?? 0) + 1;
    openStreams.set(session, streams);
    if (streams === 1) session.ref();
    stream.once("close", () => {
      const left = (openStreams.get(session) ?? 1) - 1;
      openStreams.set(session, left);
      if (left === 0 && !session.destroyed) session.unref();
    });
  }
}

/** How many calls each session has under way. */
const openStreams = new WeakMap<ClientHttp2Session, number>();
