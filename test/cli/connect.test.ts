// Errors about an engine's address name where the address came from, because that is what has to be corrected.
import { afterEach, expect, test, vi } from "vitest";
import { runHere } from "./run-program.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

test.each([
  ["foo", ["--runtime", "docker"], /DOCKER_HOST: "foo" is no address of a Docker Engine: write unix:/],
  ["tcp://127.0.0.1:1", ["--runtime", "docker"], /nobody listens there: start the engine, or correct DOCKER_HOST\n$/],
  ["unix:///nowhere/d.sock", ["--runtime", "docker"], /no socket at \/nowhere\/d\.sock[^\n]*correct DOCKER_HOST\n$/],
  // The flag wins.
  ["foo", ["--endpoint", "tcp://127.0.0.1:1"], /nobody listens there: start the engine, or correct --endpoint\n$/],
])("DOCKER_HOST=%s and %j", async (dockerHost, flags, message) => {
  vi.stubEnv("DOCKER_HOST", dockerHost);

  const { stderr } = await runHere(["images", ...flags]);

  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^prunelet: [^\n]+\n$/);
});
