// A log that nobody reads and nobody closes: what reads it hangs, as the runtime may that takes the output of the agent's container.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTempFolder, type TempFolder } from "../support/temp.ts";
import { waitFor } from "../support/wait.ts";
import { buildBundle } from "./run-program.ts";

const program = join(import.meta.dirname, "../../dist/prunelet.js");

let folder: TempFolder;

beforeAll(async () => {
  folder = createTempFolder();
  await buildBundle();
}, 60_000);
afterAll(() => folder.remove());

test("an agent whose log nobody reads goes on, answers probes, and ends when told to", async () => {
  const config = join(folder.path, "agent.yaml");
  const lines = ["runtime: embedded", "interval: 100ms", "pods: { source: none }", "log: { level: debug }"];
  writeFileSync(config, [...lines, "http: { listen: '127.0.0.1:0' }"].join("\n"));
  const agent = spawn(process.execPath, [program, "run", "--config", config], { stdio: ["ignore", "ignore", "pipe"] });
  try {
    let text = "";
    agent.stderr.setEncoding("utf8").on("data", (more: string) => {
      text += more;
    });
    const url = await waitFor("the agent to listen", () => /(http:\/\/127\.0\.0\.1:\d+)\/metrics/.exec(text)?.[1]);
    agent.stderr.pause();
    const rounds = async () => {
      const metrics = await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5_000) })).text();
      return Number(/^prunelet_reconciles_total\{result="done"\} (\d+)/m.exec(metrics)?.[1] ?? 0);
    };

    // Each round says several kilobytes; the socket between the two processes holds some hundred.
    const many = { timeoutMs: 60_000, intervalMs: 250 };
    await waitFor("so many rounds that their log fills every buffer", async () => (await rounds()) > 60, many);
    agent.kill("SIGTERM");
    const [code] = await once(agent, "exit");

    expect(code).toBe(0);
  } finally {
    agent.kill("SIGKILL");
  }
}, 90_000);
