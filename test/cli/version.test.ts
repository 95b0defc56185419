// `version` on a machine without any runtime.
import { expect, test, vi } from "vitest";
import { NoSocketError } from "../../src/runtime/detect.ts";
import { runHere } from "./run-program.ts";

const sockets = ["/run/containerd/containerd.sock", "/run/docker.sock"];

// Whatever runs on the machine of the test is not looked at.
vi.mock("../../src/runtime/detect.ts", async (original) => ({
  ...(await original<typeof import("../../src/runtime/detect.ts")>()),
  findRuntime: () => Promise.reject(new NoSocketError(sockets)),
}));

test("lists where it was looked for, a line each", async () => {
  const { code, stdout } = await runHere(["version"]);

  expect(code).toBe(0);
  expect(stdout.split("\n").slice(1)).toEqual([
    "runtime   none: there is no socket, give --endpoint unix:///path.sock",
    ...sockets.map((path) => `looked at ${path}`),
    "",
  ]);
});

test("tells programs where it was looked for", async () => {
  const { stdout } = await runHere(["version", "-o", "json"]);

  expect(JSON.parse(stdout)).toMatchObject({
    problem: expect.stringContaining("no container runtime found"),
    lookedAt: sockets,
  });
});
