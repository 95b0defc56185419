// The image as nodes run it: built without a registry, started by a real containerd with nothing but what the chart gives it.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statfsSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { runcRoot } from "../support/daemons/containerd-config.ts";
import { findProgram, required } from "../support/daemons/manifest.ts";
import { describeNodes, type E2eNode } from "../support/e2e-node.ts";
import type { PruneReport } from "../support/e2e-report.ts";
import { buildImage } from "../support/oci/image.ts";
import { buildLayer } from "../support/oci/layer.ts";
import { waitFor } from "../support/wait.ts";

const root = join(import.meta.dirname, "../..");
const name = `docker.io/library/prunelet:${versionOf(join(root, "package.json"))}`;
const old = "registry.example/old:1";

/** What containerd gives to a container unless it is taken away, as the chart's `drop: [ALL]` does. */
const capabilities =
  "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_CHROOT";

describeNodes(
  "the image",
  (node) => {
    beforeAll(async () => {
      await importPrunelet(node());
      const unused = buildImage({ layers: [buildLayer({ "data/text": "old" })] });
      await node().containerd.import(unused, { names: [old] });
      mkdirSync(stateFolder(node()), { recursive: true });
    }, 180_000);

    test("is small: below 60 MB as it is pulled", () => {
      const blobs = join(layoutFolder(node()), "blobs/sha256");

      const bytes = readdirSync(blobs).reduce((sum, blob) => sum + statSync(join(blobs, blob)).size, 0);

      expect(bytes).toBeGreaterThan(20e6);
      expect(bytes).toBeLessThan(60e6);
    });

    test("tells its version and the runtime that it found through the mounted socket", async () => {
      const { stdout } = await runOnce(node(), "version", ["prunelet", "version", "-o", "json"]);

      expect(stdout).toContain('"containerd"');
      expect(stdout).toContain(versionOf(join(root, "package.json")));
    });

    test("plans on a read-only root, and keeps the image that it runs from itself", async () => {
      const { stdout } = await runOnce(node(), "plan", ["prunelet", "plan", "-o", "json"]);

      const report = JSON.parse(stdout) as PruneReport;
      expect(report.untagged).toEqual([old]);
      expect(report.kept.map((kept) => kept.name)).toContain(name);
    });

    test("runs as the agent: healthy, its state on the node, stopped by SIGTERM with the exit code 0", async () => {
      const port = await freePort();
      const listen = ["--env", `PRUNELET_HTTP_LISTEN=127.0.0.1:${port}`];
      const flags = ["--detach", "--null-io", "--net-host", ...listen];
      await node().containerd.ctr(...runArguments(node(), { id: "agent", flags, args: [] }));
      try {
        const health = await waitFor("the agent to be healthy", () => get(port, "/healthz"), { timeoutMs: 30_000 });
        const ready = await waitFor("the agent to be ready", () => get(port, "/readyz"), { timeoutMs: 30_000 });
        const metrics = await waitFor("the metrics", () => get(port, "/metrics"), { timeoutMs: 30_000 });
        const disk = statfsSync(node().containerd.root);
        await node().containerd.ctr("-n", "default", "tasks", "kill", "--signal", "SIGTERM", "agent");
        await waitFor("the agent to stop", () => hasStopped(node(), "agent"), { timeoutMs: 30_000 });
        const { stdout: exit } = await node().containerd.ctr("-n", "default", "tasks", "delete", "agent");

        expect(health).toMatch(/^ok/);
        expect(ready).toMatch(/^ok/);
        expect(metrics).toContain("prunelet_build_info");
        // The filesystem of the images is seen through the container's own root: nothing of it is mounted.
        const folder = join(node().containerd.root, `io.containerd.snapshotter.v1.${node().containerd.snapshotter}`);
        expect(metrics).toContain(`prunelet_filesystem_capacity_bytes{path="${folder}"} ${disk.blocks * disk.bsize}\n`);
        expect(readdirSync(stateFolder(node()))).toEqual(["state.json"]);
        expect(exit.trim()).toBe("");
      } finally {
        await forget(node(), "agent");
      }
    });
  },
  ["1.6", "2.1"],
);

test("the Dockerfile says the same as the layout: labels, user, environment, entry point", () => {
  const dockerfile = readFileSync(join(root, "Dockerfile"), "utf8");
  const script = readFileSync(join(root, "scripts/image-layout.mjs"), "utf8");
  const labelsOf = (text: string) => [...new Set(text.match(/org\.opencontainers\.image\.(?!ref)\w+/g))].sort();

  expect(labelsOf(dockerfile)).toEqual(labelsOf(script));
  expect(dockerfile).toContain("USER 0:0");
  expect(dockerfile).toContain('ENTRYPOINT ["/usr/local/bin/prunelet"]');
  expect(script).toContain('Entrypoint: ["/usr/local/bin/prunelet"]');
  for (const setting of [
    "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
    "MALLOC_ARENA_MAX=1",
    "MALLOC_TRIM_THRESHOLD_=131072",
  ]) {
    expect(dockerfile).toContain(setting);
    expect(script).toContain(`"${setting}"`);
  }
  expect(dockerfile).toContain(`ARG VERSION=${versionOf(join(root, "package.json"))}`);
  expect(dockerfile).toContain(`ARG NODE_VERSION=${versionOf(join(root, "node_modules/node/package.json"))}`);
});

function versionOf(file: string): string {
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

function layoutFolder({ folder }: E2eNode): string {
  return join(folder.path, "image");
}

function stateFolder({ folder }: E2eNode): string {
  return join(folder.path, "state");
}

async function importPrunelet(node: E2eNode): Promise<void> {
  const { containerd } = node;
  execFileSync("sh", [join(root, "scripts/image.sh"), layoutFolder(node)], { stdio: "pipe" });
  const archive = join(node.folder.path, "image.tar");
  execFileSync("tar", ["-C", layoutFolder(node), "-cf", archive, "."]);
  const local = containerd.version === "1.6" ? [] : ["--local"];
  await containerd.ctr("-n", "default", "images", "import", ...local, "--snapshotter", containerd.snapshotter, archive);
}

async function runOnce(node: E2eNode, id: string, args: readonly string[]) {
  try {
    return await node.containerd.ctr(...runArguments(node, { id, flags: [], args }));
  } finally {
    await forget(node, id);
  }
}

interface Run {
  readonly id: string;
  readonly flags: readonly string[];
  readonly args: readonly string[];
}

/** As the chart's pod: read-only root, no capabilities, seccomp, its limit of memory, and of the node only the socket's folder and the state. */
function runArguments(node: E2eNode, { id, flags, args }: Run): readonly string[] {
  const { containerd } = node;
  const socketFolder = dirname(containerd.socket);
  const mounts = [
    `type=bind,src=${socketFolder},dst=/run/containerd,options=rbind:rslave:ro`,
    `type=bind,src=${stateFolder(node)},dst=/var/lib/prunelet,options=bind:rw`,
  ];
  return [
    ...["-n", "default", "run", "--snapshotter", containerd.snapshotter, "--read-only", "--seccomp"],
    ...["--memory-limit", String(256 * 1024 * 1024)],
    ...["--cgroup", `${containerd.cgroup}/default-${id}`],
    ...["--runc-binary", required(findProgram("runc")), "--runc-root", runcRoot(socketFolder)],
    ...capabilities.split(" ").flatMap((capability) => ["--cap-drop", `CAP_${capability}`]),
    ...mounts.flatMap((mount) => ["--mount", mount]),
    ...["--env", "PRUNELET_ENDPOINT=unix:///run/containerd/c.sock", "--env", "PRUNELET_NAMESPACES=default"],
    ...["--env", "PRUNELET_PODS_SOURCE=none"],
    ...flags,
    name,
    id,
    // Without any the image's entry point and command are run; ctr replaces both.
    ...args,
  ];
}

async function hasStopped(node: E2eNode, id: string): Promise<boolean> {
  const { stdout } = await node.containerd.ctr("-n", "default", "tasks", "list");
  return stdout.split("\n").some((row) => row.startsWith(`${id} `) && row.includes("STOPPED"));
}

/** Whatever state it is in. */
async function forget(node: E2eNode, id: string): Promise<void> {
  const { ctr } = node.containerd;
  await ctr("-n", "default", "tasks", "delete", "--force", id).catch(() => undefined);
  await ctr("-n", "default", "containers", "delete", id).catch(() => undefined);
}

async function get(port: number, path: string): Promise<string | undefined> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(2_000) });
  const text = await response.text();
  return response.ok ? text : undefined;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
