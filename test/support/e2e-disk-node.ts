// A containerd whose data lie on a small filesystem, images that fill it, and the agent that keeps it from running full.
import { randomBytes } from "node:crypto";
import { renameSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Containerd, startContainerd } from "./daemons/containerd.ts";
import type { ContainerdLine } from "./daemons/manifest.ts";
import { type DiskKind, mountSmallDisk } from "./daemons/small-disk.ts";
import { busyboxImage } from "./oci/busybox.ts";
import { buildLayer } from "./oci/layer.ts";
import { type RunningPrunelet, startPrunelet } from "./prunelet.ts";
import { createTempFolder, type TempFolder } from "./temp.ts";
import { waitFor } from "./wait.ts";

/** How full the filesystem is, counted as `df` counts. */
export interface Disk {
  readonly size: number;
  readonly used: number;
  /** Share, from 0 to 1. */
  readonly fullness: number;
}

export interface DiskNode {
  readonly containerd: Containerd;
  readonly folder: TempFolder;
  disk(): Disk;
  /** Brings a new image of some megabytes and returns its name. */
  bringImage(): Promise<string>;
  /** Runs a container of the image that sleeps. */
  runContainer(image: string, id: string): Promise<void>;
  names(): Promise<readonly string[]>;
  runningContainers(): Promise<readonly string[]>;
  /** Starts the agent with these lines of configuration, and waits until it serves. */
  startAgent(config: readonly string[]): Promise<DiskAgent>;
  close(): Promise<void>;
}

export interface DiskAgent extends RunningPrunelet {
  /** The sum of a metric's series, of those that hold `labels`; 0 when there is none. */
  metric(name: string, labels?: string): Promise<number>;
  /** Replaces the configuration, which the agent notices by itself. */
  configure(config: readonly string[]): void;
}

const megabyte = 1 << 20;
const namespace = "default";

/** Bytes of an image's own layer. On disk it lies twice: as it came, and unpacked. */
const layerSize = 6 * megabyte;

export async function openDiskNode(version: ContainerdLine, kind: DiskKind): Promise<DiskNode> {
  const size = 400 * megabyte;
  const containerd = await startContainerd({ version, mountRoot: (path) => mountSmallDisk(kind, { path, size }) });
  const folder = createTempFolder();
  const { ctr, root } = containerd;
  const lines = async (...args: readonly string[]) =>
    (await ctr("-n", namespace, ...args)).stdout.split("\n").filter(Boolean);
  let images = 0;
  return {
    containerd,
    folder,
    disk: () => {
      const { blocks, bavail, bsize } = statfsSync(root);
      const used = (blocks - bavail) * bsize;
      return { size: blocks * bsize, used, fullness: used / (blocks * bsize) };
    },
    async bringImage() {
      images += 1;
      const name = `example.org/app-${images}:1`;
      const layer = buildLayer({ [`data/${images}`]: randomBytes(layerSize) });
      await containerd.import(busyboxImage({ layers: [layer] }), { names: [name], namespace });
      return name;
    },
    runContainer: (image, id) => containerd.runContainer({ image, id, namespace }),
    names: () => lines("images", "list", "--quiet"),
    runningContainers: async () =>
      (await lines("tasks", "list")).filter((row) => row.includes("RUNNING")).map((row) => row.split(/\s+/)[0] ?? ""),
    startAgent: (config) => startAgent(containerd, folder.path, config),
    async close() {
      await containerd.stop();
      folder.remove();
    },
  };
}

async function startAgent(containerd: Containerd, folder: string, config: readonly string[]): Promise<DiskAgent> {
  const file = join(folder, "agent.yaml");
  const configure = (more: readonly string[]): void => {
    // Whole, so that the agent never reads an empty file.
    writeFileSync(`${file}.new`, [...common(folder), ...more].join("\n"));
    renameSync(`${file}.new`, file);
  };
  configure(config);
  const args = ["run", "--endpoint", containerd.endpoint, "--config", file];
  const agent = startPrunelet(args, { timeoutMs: 600_000 });
  const url = await waitFor("the agent to listen", () => {
    if (agent.hasEnded()) throw new Error(`the agent ended: ${agent.stderr()}`);
    return /(http:\/\/127\.0\.0\.1:\d+)\/metrics/.exec(agent.stderr())?.[1];
  });
  const metric = async (name: string, labels = ""): Promise<number> => {
    const text = await (await fetch(`${url}/metrics`)).text();
    const rows = text
      .split("\n")
      .filter((row) => new RegExp(`^prunelet_${name}[{ ]`).test(row) && row.includes(labels));
    return rows.reduce((sum, row) => sum + Number(row.split(" ").at(-1)), 0);
  };
  return { ...agent, metric, configure };
}

function common(folder: string): readonly string[] {
  return [
    "runtime: containerd",
    `namespaces: [${namespace}]`,
    "pods: { source: none }",
    "http: { listen: '127.0.0.1:0' }",
    `stateFile: ${join(folder, "state.json")}`,
  ];
}
