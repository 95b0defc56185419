// Containerds filled with synthetic images. A store is written once; every measurement gets a fresh copy of it.
import { cpSync, existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Containerd, startContainerd } from "../../test/support/daemons/containerd.ts";
import { connectCri } from "../../test/support/daemons/cri-client.ts";
import { guardProcess } from "../../test/support/daemons/guard.ts";
import type { ContainerdLine } from "../../test/support/daemons/manifest.ts";
import { createTempFolder, type TempFolder } from "../../test/support/temp.ts";
import { waitFor } from "../../test/support/wait.ts";
import { cpuSeconds } from "../process-usage.ts";
import { type SyntheticImage, syntheticImages } from "./synthetic-images.ts";
import { writeImages } from "./write-images.ts";

export interface FilledNode {
  readonly daemon: Containerd;
  readonly images: readonly SyntheticImage[];
}

interface Template {
  readonly images: readonly SyntheticImage[];
  readonly folder: TempFolder;
  /** The daemon's root folder while it was stopped. */
  readonly root: string;
}

/** Where stores are written, which takes a minute on a disk: every blob and every name waits for it. */
const memoryFolder = "/dev/shm";

/** Runs `work` with temporary folders in memory, where the machine has such a place. */
export async function inMemory<T>(work: () => T | Promise<T>): Promise<T> {
  const before = process.env["TMPDIR"];
  if (existsSync(memoryFolder)) process.env["TMPDIR"] = memoryFolder;
  try {
    return await work();
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  }
}

/** Makes filled nodes of one containerd line; remembers the written stores. */
export class NodeMaker {
  readonly version: ContainerdLine;
  readonly #templates = new Map<number, Template>();
  readonly #log: (line: string) => void;

  constructor(version: ContainerdLine, log: (line: string) => void) {
    this.version = version;
    this.#log = log;
  }

  /** Calls `work` with a daemon that holds `count` images, knows them in CRI too, and has come to rest. Stops it afterwards. */
  async with<T>(count: number, work: (node: FilledNode) => Promise<T>): Promise<T> {
    guardProcess();
    const { images, root } = await inMemory(() => this.#template(count));
    const daemon = await startContainerd({ version: this.version, cri: true });
    try {
      await daemon.kill();
      rmSync(daemon.root, { recursive: true });
      cpSync(root, daemon.root, { recursive: true, preserveTimestamps: true });
      await daemon.restart();
      await untilReady(daemon, count);
      return await work({ daemon, images });
    } finally {
      await daemon.stop();
    }
  }

  /** Removes the written stores. */
  close(): void {
    for (const { folder } of this.#templates.values()) folder.remove();
    this.#templates.clear();
  }

  async #template(count: number): Promise<Template> {
    const known = this.#templates.get(count);
    if (known !== undefined) return known;
    const startedAt = performance.now();
    const daemon = await startContainerd({ version: this.version, cri: true });
    try {
      const images = syntheticImages(count, daemon.snapshotter);
      await writeImages(daemon, images);
      await daemon.kill();
      const folder = createTempFolder();
      const root = join(folder.path, "root");
      renameSync(daemon.root, root);
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      this.#log(`wrote a store of ${count} images in ${seconds} s`);
      const template = { images, folder, root };
      this.#templates.set(count, template);
      return template;
    } finally {
      await daemon.stop();
    }
  }
}

/** CRI reads all images and a first collection runs after every start: both are over when the daemon uses no CPU any more. */
async function untilReady(daemon: Containerd, count: number): Promise<void> {
  const cri = await connectCri(daemon);
  try {
    const complete = async () => (await cri.images()).length === count;
    await waitFor(`CRI to know ${count} images`, complete, { timeoutMs: 120_000, intervalMs: 250 });
  } finally {
    cri.close();
  }
  await untilQuiet(daemon);
}

/** Waits until the daemon has used next to no CPU for half a second. */
export function untilQuiet(daemon: Containerd): Promise<void> {
  return untilQuietCpu(() => cpuSeconds(daemon.pid()));
}

/** The same for several daemons whose CPU seconds are added up. */
export async function untilQuietCpu(cpuOf: () => number): Promise<void> {
  let before = cpuOf();
  await waitFor(
    "the daemons to come to rest",
    () => {
      const now = cpuOf();
      const quiet = now - before < 0.02;
      before = now;
      return quiet;
    },
    { timeoutMs: 120_000, intervalMs: 500 },
  );
}

/** The file system that temporary folders are on, e.g. `tmpfs`. */
export function fileSystemOf(folder: string): string {
  const mounts = readFileSync("/proc/self/mounts", "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
  const around = mounts.filter(
    ([, point = ""]) => folder === point || folder.startsWith(point === "/" ? "/" : `${point}/`),
  );
  return around.toSorted((a, b) => (b[1] ?? "").length - (a[1] ?? "").length)[0]?.[2] ?? "unknown";
}
