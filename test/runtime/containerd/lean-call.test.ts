// A list that its deadline cut off is never taken for a whole one, whatever the daemon says at its end.
import { createServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import { join } from "node:path";
import { Code } from "@connectrpc/connect";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Containers } from "../../../src/runtime/containerd/gen/containerd/services/containers/v1/containers_pb.js";
import { framed } from "../../../src/runtime/containerd/grpc-framing.ts";
import { leanCall } from "../../../src/runtime/containerd/lean-call.ts";
import { SocketSession } from "../../../src/runtime/wire/socket-session.ts";
import { createTempFolder } from "../../support/temp.ts";

const ends: (() => unknown)[] = [];

afterEach(() => {
  vi.restoreAllMocks();
  for (const end of ends.splice(0)) end();
});

/** A daemon that answers every call as `answer` says; its calls go through the session. */
async function daemon(answer: (stream: ServerHttp2Stream, patienceMs: number) => void): Promise<SocketSession> {
  const folder = createTempFolder();
  const path = join(folder.path, "daemon.sock");
  const server: Http2Server = createServer();
  server.on("stream", (stream, headers) =>
    answer(stream, Number(/^(\d+)m$/.exec(String(headers["grpc-timeout"]))?.[1])),
  );
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const session = new SocketSession(path);
  ends.push(
    () => session.close(),
    () => server.close(),
    () => folder.remove(),
  );
  return session;
}

/** Sends messages and ends well. */
function answerWell(stream: ServerHttp2Stream, messages: number): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc+proto" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  for (let i = 0; i < messages; i += 1) stream.write(framed(Buffer.alloc(0)));
  stream.end();
}

const options = { namespace: "k8s.io", timeoutMs: 10_000, signal: undefined };
const list = { method: Containers.method.listStream, input: {} };

describe("a call that lists containers", () => {
  test("gives the daemon more time than it takes itself, so that the daemon never ends a list for want of time", async () => {
    let patience = 0;
    const session = await daemon((stream, patienceMs) => {
      patience = patienceMs;
      answerWell(stream, 1);
    });

    await leanCall(session, list, options, () => undefined);

    expect(patience).toBeGreaterThan(options.timeoutMs + 1_000);
  });

  test("fails when its time is over before the end is read, though the end is a good one", async () => {
    const session = await daemon((stream) => answerWell(stream, 3));
    // As in a process that is too busy to hear of its own timer first.
    const late = performance.now() + 2 * options.timeoutMs;
    const untilTooLate = (): void => void vi.spyOn(performance, "now").mockReturnValue(late);

    await expect(leanCall(session, list, options, untilTooLate)).rejects.toMatchObject({ code: Code.DeadlineExceeded });
  });

  test("fails when one message is due and none comes", async () => {
    const session = await daemon((stream) => answerWell(stream, 0));
    const request = { method: Containers.method.list, input: {} };

    await expect(leanCall(session, request, options, () => undefined)).rejects.toMatchObject({ code: Code.Internal });
  });

  test("is whole when a stream ends well without any message", async () => {
    const session = await daemon((stream) => answerWell(stream, 0));
    let seen = 0;

    await leanCall(session, list, options, () => {
      seen += 1;
    });

    expect(seen).toBe(0);
  });
});
