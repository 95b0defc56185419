// SIGHUP to an agent that does not read its configuration yet: it waits for its turn and goes on waiting.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeKubeconfig } from "../support/api-server/kubeconfig.ts";
import { startPrunelet } from "../support/prunelet.ts";
import { createTempFolder, type TempFolder } from "../support/temp.ts";
import { waitFor } from "../support/wait.ts";

let folder: TempFolder;

beforeEach(() => {
  folder = createTempFolder();
});
afterEach(() => folder.remove());

test("SIGHUP does not end an agent that waits for its turn to ask the API server", async () => {
  const config = join(folder.path, "agent.yaml");
  const socket = `unix://${join(folder.path, "none.sock")}`;
  const kubeconfig = writeKubeconfig(join(folder.path, "kubeconfig"), { server: "http://127.0.0.1:1" });
  const stateFile = join(folder.path, "state.json");
  const lines = [
    "runtime: containerd",
    "startJitter: 1h",
    "http: { listen: '127.0.0.1:0' }",
    `stateFile: ${stateFile}`,
  ];
  writeFileSync(config, lines.join("\n"));
  const flags = ["--config", config, "--endpoint", socket, "--kubeconfig", kubeconfig, "--node-name", "node-1"];
  const agent = startPrunelet(["run", ...flags]);
  await waitFor("the agent to listen", () => agent.stderr().includes("metrics at"));

  agent.signal("SIGHUP");
  const url = /(http:\/\/127\.0\.0\.1:\d+)\/metrics/.exec(agent.stderr())?.[1];
  const health = await fetch(`${url}/healthz`);
  agent.signal("SIGTERM");

  expect(health.status).toBe(200);
  expect((await agent.ended).code).toBe(0);
});
