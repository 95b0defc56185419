// A real containerd of a chosen line for one test: private folders and socket, and nothing left of it afterwards.
import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { atExit } from "../at-exit.ts";
import type { Storable } from "../oci/descriptor.ts";
import { toLayoutTar } from "../oci/layout.ts";
import { createTempFolder, type TempFolder } from "../temp.ts";
import { waitFor } from "../wait.ts";
import { clearCgroup } from "./cgroups.ts";
import { type ContainerdSettings, runcRoot, writeContainerdConfig } from "./containerd-config.ts";
import { clearLeftovers } from "./leftovers.ts";
import { type ContainerdLine, findContainerd, findProgram, required } from "./manifest.ts";
import { canMountOverlay } from "./overlay.ts";
import { allProcesses, type Daemon, killAndWait, type Output, runProgram, startDaemon } from "./processes.ts";

export interface ContainerdOptions {
  readonly version: ContainerdLine;
  /** Switches the CRI plugin on. Default false. */
  readonly cri?: boolean;
  /** The image of pod sandboxes, e.g. `127.0.0.1:5000/pause:1`. Pinned by containerd from 1.7.3 on. */
  readonly sandboxImage?: string;
  /** `host:port` of a registry that speaks plain HTTP. */
  readonly registryHost?: string;
  /** Default: overlayfs, or native where overlay cannot be mounted. */
  readonly snapshotter?: "overlayfs" | "native";
}

export interface ImportOptions {
  /** The names of the records, stored exactly like this. */
  readonly names: readonly string[];
  /** Default `default`. */
  readonly namespace?: string;
  /** Default true. */
  readonly unpack?: boolean;
}

export interface ContainerOptions {
  /** Name of the image's record. */
  readonly image: string;
  readonly id: string;
  /** Default: what the image says. */
  readonly args?: readonly string[];
  /** Default `default`. */
  readonly namespace?: string;
}

export interface ContainerReference {
  readonly id: string;
  readonly namespace?: string;
}

/** A running containerd. Everything that it starts is ended by `stop`. */
export interface Containerd {
  /** `unix://` and the path of the socket, for native API and CRI. */
  readonly endpoint: string;
  readonly socket: string;
  readonly root: string;
  readonly state: string;
  readonly version: ContainerdLine;
  readonly snapshotter: "overlayfs" | "native";
  /** The private cgroup, with a leading slash: the parent of all containers, also for CRI pods. */
  readonly cgroup: string;
  pid(): number;
  /** Runs this version's `ctr` against the daemon. */
  ctr(...args: readonly string[]): Promise<Output>;
  import(image: Storable, options: ImportOptions): Promise<void>;
  runContainer(options: ContainerOptions): Promise<void>;
  /** Kills the container's process; the container itself stays, as an exited one. */
  stopContainer(container: ContainerReference): Promise<void>;
  removeContainer(container: ContainerReference): Promise<void>;
  /** Ends the daemon (containers go on running) and starts it again. Also after `kill`. */
  restart(): Promise<void>;
  /** Freezes the daemon: it accepts connections and never answers. */
  pause(): void;
  resume(): void;
  /** Ends the daemon as a crash would. */
  kill(): Promise<void>;
  /** Ends the daemon and all containers, unmounts and removes everything. May be called more than once. */
  stop(): Promise<void>;
  logs(): string;
}

/** Starts a containerd and waits until it answers. Stop it in `afterAll` or `afterEach`. */
export async function startContainerd(options: ContainerdOptions): Promise<Containerd> {
  clearLeftovers();
  const folder = createTempFolder();
  try {
    const containerd = new TestContainerd(options, folder);
    await containerd.start();
    return containerd;
  } catch (error) {
    folder.remove();
    throw error;
  }
}

class TestContainerd implements Containerd {
  readonly version: ContainerdLine;
  readonly snapshotter: "overlayfs" | "native";
  readonly socket: string;
  readonly endpoint: string;
  readonly root: string;
  readonly state: string;
  readonly cgroup: string;
  readonly #bin: string;
  readonly #config: string;
  readonly #settings: ContainerdSettings;
  readonly #folder: TempFolder;
  readonly #forget: () => void;
  #daemon: Daemon | undefined;
  #olderLogs = "";

  constructor(options: ContainerdOptions, folder: TempFolder) {
    this.version = options.version;
    this.snapshotter = options.snapshotter ?? (canMountOverlay(folder.path) ? "overlayfs" : "native");
    this.socket = join(folder.path, "c.sock");
    this.endpoint = `unix://${this.socket}`;
    this.root = join(folder.path, "root");
    this.state = join(folder.path, "state");
    this.cgroup = `/${basename(folder.path)}`;
    this.#bin = required(findContainerd(options.version));
    this.#folder = folder;
    this.#settings = settingsOf(options, this, folder.path);
    this.#config = writeContainerdConfig(this.#settings);
    this.#forget = atExit(() => this.#clearAway());
  }

  async start(): Promise<void> {
    // containerd looks for its shim in PATH before it looks beside itself.
    const env = { PATH: `${this.#bin}:/usr/sbin:/usr/bin:/sbin:/bin` };
    const daemon = startDaemon(join(this.#bin, "containerd"), ["--config", this.#config], env);
    this.#daemon = daemon;
    try {
      await waitFor(`containerd ${this.version} to answer`, () => this.#answers(daemon), { timeoutMs: 30_000 });
      if (daemon.hasEnded()) throw new Error(`containerd ${this.version} ended at once`);
    } catch (error) {
      const logs = daemon.logs();
      await this.stop();
      throw new Error(`${error instanceof Error ? error.message : error}\n${logs.slice(-4_000)}`, { cause: error });
    }
  }

  async #answers(daemon: Daemon): Promise<boolean> {
    if (daemon.hasEnded()) return true;
    if (!daemon.logs().includes("containerd successfully booted")) return false;
    await this.ctr("version");
    return true;
  }

  pid(): number {
    return this.#running().pid;
  }

  ctr(...args: readonly string[]): Promise<Output> {
    return runProgram(join(this.#bin, "ctr"), ["--address", this.socket, ...args]);
  }

  async import(image: Storable, { names, namespace = "default", unpack = true }: ImportOptions): Promise<void> {
    const archive = join(this.#folder.path, `import-${process.hrtime.bigint()}.tar`);
    writeFileSync(archive, toLayoutTar([{ image, names }]));
    const local = this.version === "1.6" ? [] : ["--local"];
    const flags = [...local, "--snapshotter", this.snapshotter, ...(unpack ? [] : ["--no-unpack"])];
    try {
      await this.ctr("-n", namespace, "images", "import", ...flags, archive);
    } finally {
      rmSync(archive);
    }
  }

  async runContainer({ image, id, args = [], namespace = "default" }: ContainerOptions): Promise<void> {
    const runc = ["--runc-binary", this.#settings.runc, "--runc-root", runcRoot(this.#folder.path)];
    const flags = ["--snapshotter", this.snapshotter, "--cgroup", `${this.cgroup}/${namespace}-${id}`, ...runc];
    await this.ctr("-n", namespace, "run", "--detach", "--null-io", ...flags, image, id, ...args);
  }

  async stopContainer({ id, namespace = "default" }: ContainerReference): Promise<void> {
    await this.ctr("-n", namespace, "tasks", "kill", "--signal", "SIGKILL", id);
    await waitFor(`container ${id} to stop`, async () => {
      const { stdout } = await this.ctr("-n", namespace, "tasks", "list");
      return stdout.split("\n").some((row) => row.startsWith(`${id} `) && row.includes("STOPPED"));
    });
    await this.ctr("-n", namespace, "tasks", "delete", id);
  }

  async removeContainer({ id, namespace = "default" }: ContainerReference): Promise<void> {
    await this.ctr("-n", namespace, "containers", "delete", id);
  }

  async restart(): Promise<void> {
    await this.#daemon?.end();
    this.#olderLogs = this.logs();
    await this.start();
  }

  pause(): void {
    this.#running().signal("SIGSTOP");
  }

  resume(): void {
    this.#running().signal("SIGCONT");
  }

  async kill(): Promise<void> {
    const daemon = this.#running();
    daemon.signal("SIGKILL");
    await waitFor("containerd to be dead", daemon.hasEnded);
  }

  async stop(): Promise<void> {
    await this.#daemon?.end();
    this.#forget();
    this.#clearAway();
    this.#folder.remove();
  }

  logs(): string {
    return this.#olderLogs + (this.#daemon?.logs() ?? "");
  }

  #running(): Daemon {
    if (this.#daemon === undefined || this.#daemon.hasEnded())
      throw new Error(`containerd ${this.version} is not running`);
    return this.#daemon;
  }

  /** Ends what is left: the daemon, its shims, whatever runs in its containers. */
  #clearAway(): void {
    this.#daemon?.signal("SIGKILL");
    const shims = allProcesses().filter(({ args }) => args.includes(this.socket) && args.includes("-namespace"));
    killAndWait(shims.map(({ pid }) => pid));
    clearCgroup(this.cgroup.slice(1));
    for (const { args } of shims) rmSync(shimSocket(this.socket, args), { force: true });
  }
}

function settingsOf(
  { cri = false, sandboxImage = "localhost/pause:none", registryHost }: ContainerdOptions,
  { version, snapshotter, socket }: TestContainerd,
  folder: string,
): ContainerdSettings {
  mkdirSync(join(folder, "cni"));
  const plainHttpRegistries = registryHost === undefined ? [] : [registryHost];
  const common = { version, folder, socket, snapshotter, runc: required(findProgram("runc")) };
  return cri ? { ...common, cri: { sandboxImage, plainHttpRegistries } } : common;
}

/** A killed shim leaves its socket behind. Its name: the hash of address, namespace and ID (containerd, runtime/v2/shim). */
function shimSocket(address: string, args: readonly string[]): string {
  const after = (flag: string) => args[args.indexOf(flag) + 1] ?? "";
  const path = join(address, after("-namespace"), after("-id"));
  return join("/run/containerd/s", createHash("sha256").update(path).digest("hex"));
}
