// `prunelet config`: every value with its origin, for this node or for one with given labels; and everything that is wrong.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { serve } from "../kubernetes/harness.ts";
import { wireNode } from "../support/api-server/node.ts";
import { createTempFolder, type TempFolder } from "../support/temp.ts";
import { type ProgramResult, runHere } from "./run-program.ts";

const text = `
policy: { unusedFor: 48h }
nodePools:
  - { name: gpu, match: { gpu: "*" }, policy: { unusedFor: 30d } }
`;

let folder: TempFolder;
let file: string;

beforeEach(() => {
  folder = createTempFolder();
  file = join(folder.path, "config.yaml");
  writeFileSync(file, text);
  for (const name of Object.keys(process.env)) {
    if (/^(PRUNELET|KUBE|NODE_NAME)/.test(name)) vi.stubEnv(name, undefined);
  }
  vi.stubEnv("HOME", folder.path);
});

afterEach(() => {
  vi.unstubAllEnvs();
  folder.remove();
});

function config(...more: readonly string[]): Promise<ProgramResult> {
  return runHere(["config", "--config", file, ...more]);
}

interface Shown {
  readonly nodePool: string | null;
  readonly config: Readonly<Record<string, unknown>>;
  readonly origins: Readonly<Record<string, string>>;
}

describe("prunelet config", () => {
  it("names default, file, environment, flag and node pool as origin of each value", async () => {
    vi.stubEnv("PRUNELET_INTERVAL", "7m");

    const { code, stdout } = await config("--node-label", "gpu=h100", "--min-age", "1h", "-o", "json");

    const shown = JSON.parse(stdout) as Shown;
    expect(code).toBe(0);
    expect(shown.nodePool).toBe("gpu");
    expect(shown.config).toMatchObject({ interval: "7m", policy: { unusedFor: "30d", minAge: "1h", keep: [] } });
    expect(shown.origins).toMatchObject({
      "policy.unusedFor": "node pool gpu",
      "policy.minAge": "flag",
      "policy.keep": "default",
      interval: "environment",
      nodePools: `file ${file}`,
    });
  });

  it("shows a start jitter in a pod, where many agents may start together, and none elsewhere", async () => {
    const outside = await config("--node-label", "a=b", "-o", "json");
    vi.stubEnv("KUBERNETES_SERVICE_HOST", "10.96.0.1");
    const inside = await config("--node-label", "a=b", "-o", "json");

    const jitters = [outside, inside].map(({ stdout }) => (JSON.parse(stdout) as Shown).config["startJitter"]);
    expect(jitters).toEqual(["0", "30s"]);
  });

  it("is a table for people", async () => {
    const { stdout } = await config("--node-label", "a=b");

    expect(stdout).toMatch(/^SETTING +VALUE +ORIGIN$/m);
    expect(stdout).toMatch(new RegExp(`^policy.unusedFor +48h +file ${file}$`, "m"));
    expect(stdout).toMatch(/^interval +10m +default$/m);
    expect(stdout).toMatch(/^nodePools +gpu +file/m);
  });

  it("asks the API server for the labels of the node", async () => {
    const server = await serve();
    server.setNode(wireNode({ gpu: "x" }));
    const kubeconfig = server.writeKubeconfig(join(folder.path, "kubeconfig"));

    const { stdout } = await config("--kubeconfig", kubeconfig, "--node-name", "node-1");

    expect(stdout).toMatch(/^node pool gpu$/m);
  });

  it("fails when the API server does not know the node: another pool's settings would be wrong", async () => {
    const server = await serve();
    server.setNode(undefined);
    const kubeconfig = server.writeKubeconfig(join(folder.path, "kubeconfig"));

    const { code, stderr, stdout } = await config("--kubeconfig", kubeconfig, "--node-name", "node-1");

    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/the node pool of this node is not known: the API server knows no node node-1/);
  });

  it("says that no pool holds where there is no Kubernetes", async () => {
    const { code, stdout, stderr } = await config("-o", "json");

    expect([code, JSON.parse(stdout).nodePool]).toEqual([0, null]);
    expect(stderr).toMatch(/no node pool holds: give --node-label/);
  });

  it("lists every problem of a wrong file and ends with 2", async () => {
    writeFileSync(file, "interval: soon\npolicy: {keep: ['/(/'], x: 1}\nnodePools: [{name: a, match: {b: 1}}]\n");

    const { code, stdout, stderr } = await config();

    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr.trim().split("\n")).toEqual([
      expect.stringContaining("interval is"),
      expect.stringContaining("policy.keep.0 is wrong"),
      expect.stringContaining("unknown key policy.x"),
      expect.stringContaining("nodePools.0.match.b is 1"),
    ]);
  });

  it("refuses a label that is none", async () => {
    const { code, stderr } = await config("--node-label", "gpu");

    expect(code).toBe(2);
    expect(stderr).toMatch(/node label "gpu" is none: write key=value/);
  });
});
