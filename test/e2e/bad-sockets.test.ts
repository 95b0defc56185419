// Sockets behind which no runtime answers as asked: one clear line with cause and mend, the right exit code, in time.
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { expectOneLine } from "../support/one-line.ts";
import { type RunOptions, type RunResult, runPrunelet } from "../support/prunelet.ts";
import {
  leaveSocket,
  type Stop,
  serveContainerd,
  serveCri,
  serveDocker,
  serveHttp,
  serveNonsense,
  serveOldCri,
  serveOldDocker,
  serveSilence,
} from "../support/socket-servers.ts";
import { createTempFolder, type TempFolder } from "../support/temp.ts";

/** Milliseconds: questions have deadlines of 2 s, calls of 10 s. The rest is for a busy machine to start the program. */
const endsWithin = 20_000;
const kinds = ["auto", "containerd", "cri", "docker"] as const;

let folder: TempFolder;
let path: string;
let stop: Stop | undefined;

beforeEach(() => {
  folder = createTempFolder();
  path = join(folder.path, "any.sock");
});

afterEach(async () => {
  await stop?.();
  stop = undefined;
  folder.remove();
});

describe.each(kinds)("with --runtime %s, a socket", (kind) => {
  const plan = (options?: RunOptions) => planAt(path, kind, options);

  test("that is missing is named", async () => {
    const result = await plan();

    expectOneLine(
      result,
      1,
      /no socket at \S+any\.sock: is \S.* running\? Start it, or name its socket with --endpoint/,
    );
  });

  test("that is a file is named", async () => {
    writeFileSync(path, "");

    const result = await plan();

    expectOneLine(result, 1, /any\.sock is not a socket: name \S.* socket with --endpoint/);
  });

  test("that was left behind is named", async () => {
    await leaveSocket(path);

    const result = await plan();

    expectOneLine(result, 1, /nobody listens at \S+any\.sock: start \S.*, the socket is left from an earlier run/);
  });

  test("that belongs to somebody else is named", async () => {
    stop = await serveSilence(path);
    chmodSync(folder.path, 0o755);
    chmodSync(path, 0o600);

    const result = await plan({ uid: 65_534 });

    expectOneLine(result, 1, /permission denied on \S+any\.sock: run as root/);
  });

  test("that accepts and never answers is given up", async () => {
    stop = await serveSilence(path);

    const result = await plan();

    expectOneLine(result, 1, /no answer within \d+ s from \S+any\.sock: .* hangs or is overloaded/);
    expect(result.tookMs).toBeLessThan(endsWithin);
  });

  test("of a web server is named", async () => {
    stop = await serveHttp(path, "hello");

    const result = await plan();

    expectOneLine(result, 1, /the server at \S+any\.sock .*: .*--endpoint/);
    expect(result.tookMs).toBeLessThan(endsWithin);
  });

  test("of a server that answers nonsense is named", async () => {
    stop = await serveNonsense(path);

    const result = await plan();

    expectOneLine(result, 1, /any\.sock/);
    expect(result.tookMs).toBeLessThan(endsWithin);
  });
});

describe("a runtime of another kind than was named", () => {
  test("containerd that is asked for Docker's interface is named", async () => {
    stop = await serveContainerd(path, ["k8s.io"]);

    expectOneLine(await planAt(path, "docker"), 1, /any\.sock .*(does not speak|--runtime)/);
  });

  test.each(["containerd", "cri"] as const)("Docker that is asked for %s is named", async (kind) => {
    stop = await serveDocker(path);

    expectOneLine(await planAt(path, kind), 1, /the server at \S+any\.sock does not speak gRPC: .*--endpoint/);
  });

  test("a CRI runtime that is asked for containerd's interface is named", async () => {
    stop = await serveCri(path, "cri-o");

    expectOneLine(
      await planAt(path, "containerd"),
      1,
      /any\.sock does not offer this call: it is not containerd or too old/,
    );
  });
});

describe.each(["named", "found"] as const)("a runtime that is too old and %s", (how) => {
  const kindOf = (kind: "cri" | "docker") => (how === "named" ? kind : "auto");

  test("with Docker's interface says which version is needed", async () => {
    stop = await serveOldDocker(path);

    expectOneLine(
      await planAt(path, kindOf("docker")),
      1,
      /speaks API 1\.23, prunelet needs 1\.24 .* update the engine/,
    );
  });

  test("with CRI says which versions are asked for", async () => {
    stop = await serveOldCri(path);

    expectOneLine(
      await planAt(path, kindOf("cri")),
      1,
      /any\.sock .*(speaks neither gRPC|does not speak CRI v1 or v1alpha2).* too old/,
    );
  });
});

function planAt(socket: string, kind: (typeof kinds)[number], options?: RunOptions): Promise<RunResult> {
  return runPrunelet(["plan", "--runtime", kind, "--endpoint", `unix://${socket}`, "--pods", "none"], options);
}
