// A real containerd of a chosen line for one test: private folders and socket, and nothing left of it afterwards.
import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { createTempFolder } from "../temp.ts";
import { waitFor } from "../wait.ts";
import { clearAway } from "./clear-away.ts";
import { type ContainerdSettings, writeContainerdConfig } from "./containerd-config.ts";
import { type CtrCalls, ctrCalls } from "./ctr.ts";
import { guardProcess } from "./guard.ts";
import { type ContainerdLine, findContainerd, findProgram, required } from "./manifest.ts";
import { canMountOverlay } from "./overlay.ts";
import { type Daemon, startDaemon } from "./processes.ts";

export interface ContainerdOptions {
  readonly version: ContainerdLine;
  /** Switches the CRI plugin on. Default false. */
  readonly cri?: boolean;
  /** The image of pod sandboxes, e.g. `127.0.0.1:5000/pause:1`. Pinned by containerd from 1.7.3 on. */
  readonly sandboxImage?: string;
  /** `host:port` of a registry that speaks plain HTTP. */
  readonly registryHost?: string;
  /** CRI removes the compressed layers once they are unpacked. Default false. */
  readonly discardUnpackedLayers?: boolean;
  /** Default: overlayfs, or native where overlay cannot be mounted. */
  readonly snapshotter?: "overlayfs" | "native";
  /** Makes a filesystem at the path of the root folder before the daemon starts. Default: the folder lies where all others do. */
  readonly mountRoot?: (path: string) => void;
}

/** A running containerd. Everything that it starts is ended by `stop`, or when the test process ends. */
export interface Containerd extends CtrCalls {
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
  /** Ends the daemon (containers go on running) and starts it again. Also after `kill`. */
  restart(): Promise<void>;
  /** Freezes the daemon: it accepts connections and never answers. */
  pause(): void;
  resume(): void;
  /** Ends the daemon as a crash would. */
  kill(): Promise<void>;
  /** Ends the daemon and all containers, unmounts and removes everything. May be called more than once. */
  stop(): Promise<void>;
  /** What the daemon wrote so far, restarts included. */
  logs(): string;
}

/** Starts a containerd and waits until it answers. Stop it in `afterAll` or `afterEach`. */
export async function startContainerd(options: ContainerdOptions): Promise<Containerd> {
  const bin = required(findContainerd(options.version));
  const runc = required(findProgram("runc"));
  guardProcess();
  const { path: folder } = createTempFolder();
  const settings = settingsOf(options, { folder, runc });
  options.mountRoot?.(join(folder, "root"));
  const cgroup = `/${basename(folder)}`;
  const calls = ctrCalls(settings, { bin, cgroup });
  const process = new ContainerdProcess(settings, { bin, answers: () => calls.ctr("version") });
  await process.start();
  return {
    ...calls,
    endpoint: `unix://${settings.socket}`,
    socket: settings.socket,
    root: join(folder, "root"),
    state: join(folder, "state"),
    version: settings.version,
    snapshotter: settings.snapshotter,
    cgroup,
    pid: () => process.running().pid,
    restart: () => process.restart(),
    pause: () => process.running().signal("SIGSTOP"),
    resume: () => process.running().signal("SIGCONT"),
    kill: () => process.kill(),
    stop: () => process.stop(),
    logs: () => process.logs(),
  };
}

function settingsOf(
  options: ContainerdOptions,
  { folder, runc }: { folder: string; runc: string },
): ContainerdSettings {
  const { version, cri = false, sandboxImage = "localhost/pause:none", registryHost } = options;
  const snapshotter = options.snapshotter ?? (canMountOverlay(folder) ? "overlayfs" : "native");
  const common = { version, folder, runc, snapshotter, socket: join(folder, "c.sock") };
  if (!cri) return common;
  mkdirSync(join(folder, "cni"));
  const plainHttpRegistries = registryHost === undefined ? [] : [registryHost];
  const discardUnpackedLayers = options.discardUnpackedLayers ?? false;
  return { ...common, cri: { sandboxImage, plainHttpRegistries, discardUnpackedLayers } };
}

interface ProcessOptions {
  readonly bin: string;
  /** Succeeds when the daemon answers. */
  readonly answers: () => Promise<unknown>;
}

/** The daemon's process through its restarts. */
class ContainerdProcess {
  readonly #settings: ContainerdSettings;
  readonly #options: ProcessOptions;
  readonly #config: string;
  #daemon: Daemon | undefined;
  #olderLogs = "";

  constructor(settings: ContainerdSettings, options: ProcessOptions) {
    this.#settings = settings;
    this.#options = options;
    this.#config = writeContainerdConfig(settings);
  }

  async start(): Promise<void> {
    const { bin } = this.#options;
    // containerd looks for its shim in PATH before it looks beside itself.
    const env = { PATH: `${bin}:/usr/sbin:/usr/bin:/sbin:/bin` };
    const daemon = startDaemon(join(bin, "containerd"), ["--config", this.#config], env);
    this.#daemon = daemon;
    try {
      await waitFor("containerd to answer", () => this.#hasStarted(daemon), { timeoutMs: 30_000 });
      if (daemon.hasEnded()) throw new Error("containerd ended at once");
    } catch (error) {
      await this.stop();
      throw new Error(`containerd ${this.#settings.version}: ${daemon.logs().slice(-4_000)}`, { cause: error });
    }
  }

  async #hasStarted(daemon: Daemon): Promise<boolean> {
    if (daemon.hasEnded()) return true;
    if (!daemon.logs().includes("containerd successfully booted")) return false;
    await this.#options.answers();
    return true;
  }

  async restart(): Promise<void> {
    await this.#daemon?.end();
    this.#olderLogs = this.logs();
    await this.start();
  }

  async kill(): Promise<void> {
    const daemon = this.running();
    daemon.signal("SIGKILL");
    await waitFor("containerd to be dead", daemon.hasEnded);
  }

  async stop(): Promise<void> {
    await this.#daemon?.end();
    clearAway(this.#settings.folder);
  }

  running(): Daemon {
    if (this.#daemon === undefined || this.#daemon.hasEnded()) throw new Error("containerd is not running");
    return this.#daemon;
  }

  logs(): string {
    return this.#olderLogs + (this.#daemon?.logs() ?? "");
  }
}
