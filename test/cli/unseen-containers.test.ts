// A containerd spoken to through CRI alone does not tell of containers that ctr or nerdctl made: whoever removes is warned.
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fakeCrio, serveFakeCri } from "../support/cri/fake-cri.ts";
import type { GrpcServer } from "../support/grpc-server.ts";
import { digestOf } from "../support/node-builder.ts";
import { createTempFolder, type TempFolder } from "../support/temp.ts";
import { buildBundle, runProgram } from "./run-program.ts";

const warning = /containers that were not made through CRI \(ctr, nerdctl\) are not seen[^"]*--runtime containerd/;

let folder: TempFolder;
let server: GrpcServer | undefined;

beforeAll(buildBundle, 60_000);

beforeEach(() => {
  folder = createTempFolder();
});

afterEach(async () => {
  await server?.stop();
  folder.remove();
});

async function runOn(runtime: string, args: readonly string[]) {
  const socket = join(folder.path, "c.sock");
  const images = [{ id: digestOf("web"), repoTags: ["r.example/web:1"], repoDigests: [] }];
  server = await serveFakeCri(socket, fakeCrio({ runtime, version: "2.1.4", images }));
  return runProgram([
    ...[...args, "--runtime", "cri", "--endpoint", `unix://${socket}`, "--pods", "none", "--audit-file", ""],
    ...["--state-file", join(folder.path, "state.json")],
  ]);
}

describe("on a containerd through CRI alone", () => {
  it.each([
    ["plan", ["plan"]],
    ["prune", ["prune", "--yes"]],
    ["rmi", ["rmi", "r.example/web:1"]],
  ])("%s warns, once", async (_, args) => {
    const { code, stderr } = await runOn("containerd", args);

    expect([code, stderr.split("\n").filter((line) => warning.test(line))]).toEqual([0, [expect.anything()]]);
  });

  it("the JSON of a plan holds the warning", async () => {
    const { stdout } = await runOn("containerd", ["plan", "-o", "json"]);

    expect(JSON.parse(stdout).warnings).toEqual([expect.stringMatching(warning)]);
  });

  it("version says what is not seen", async () => {
    const { stdout } = await runOn("containerd", ["version"]);

    expect(stdout).toMatch(/^cannot {4}allContainers: .*ctr, nerdctl.*--runtime containerd/m);
  });
});

it("on another runtime nothing is said", async () => {
  const { code, stderr } = await runOn("cri-o", ["plan"]);

  expect([code, stderr]).toEqual([0, ""]);
});
