// A real Docker Engine of a chosen line for one test, with a containerd of its own: private folders and sockets, and nothing
// left of it afterwards.
import { join } from "node:path";
import { createTempFolder, type TempFolder } from "../temp.ts";
import { waitFor } from "../wait.ts";
import { clearAway } from "./clear-away.ts";
import { type Containerd, startContainerd } from "./containerd.ts";
import { type DockerCalls, dockerCalls } from "./docker-cli.ts";
import { writeDockerConfig } from "./docker-config.ts";
import { containerdOfDocker, type DockerLine, findDocker, required } from "./manifest.ts";
import { type Daemon, startDaemon } from "./processes.ts";

export interface DockerOptions {
  readonly version: DockerLine;
  /** The containerd image store (from 23 on), or a graph driver. */
  readonly store: "containerd" | "overlay2";
  /** `host:port` of a registry that speaks plain HTTP. */
  readonly registryHost?: string;
  /** Called before the engine starts: may fill its data folder, and stop and start the containerd beneath. */
  readonly prepare?: (place: { readonly data: string; readonly containerd: Containerd }) => Promise<void>;
}

/** A running engine. Everything that it starts is ended by `stop`, or when the test process ends. */
export interface Docker extends DockerCalls {
  readonly version: DockerLine;
  /** Path of the socket that answers the Engine API. */
  readonly socket: string;
  /** The containerd beneath; images and containers of the engine are in its namespace `moby`. */
  readonly containerd: Containerd;
  readonly containerdEndpoint: string;
  readonly pid: number;
  /** Everything that the engine itself keeps. */
  readonly data: string;
  /** Ends the engine, its containers and its containerd and removes everything. May be called more than once. */
  stop(): Promise<void>;
  /** What the engine wrote so far. */
  logs(): string;
}

/** Every line with every image store that it has. */
export const everyEngine: readonly Pick<DockerOptions, "version" | "store">[] = [
  { version: "20.10", store: "overlay2" },
  { version: "26", store: "overlay2" },
  { version: "26", store: "containerd" },
  { version: "28", store: "overlay2" },
  { version: "28", store: "containerd" },
];

/** Where a Docker Engine keeps what it has in containerd. */
export const dockerNamespace = "moby";

/** Starts an engine and waits until it answers. Stop it in `afterAll` or `afterEach`. */
export async function startDocker(options: DockerOptions): Promise<Docker> {
  const { version } = options;
  const bin = required(findDocker(version));
  const containerd = await startContainerd({ version: containerdOfDocker(version) });
  const folder = createTempFolder();
  const socket = join(folder.path, "d.sock");
  const calls = dockerCalls({ bin, socket, folder: folder.path });
  const data = join(folder.path, "data");
  await options.prepare?.({ data, containerd });
  const daemon = launch(options, { bin, socket, folder, containerd });
  const stop = async () => {
    // Asked to end, the engine would wait for every container; killed, it leaves them to the clean-up below.
    daemon.signal("SIGKILL");
    await waitFor("dockerd to be dead", daemon.hasEnded);
    await containerd.stop();
    clearAway(folder.path);
  };
  try {
    await waitFor("dockerd to answer", () => hasStarted(daemon, calls), { timeoutMs: 30_000 });
    if (daemon.hasEnded()) throw new Error("dockerd ended at once");
  } catch (error) {
    await stop();
    throw new Error(`Docker Engine ${version}: ${daemon.logs().slice(-4_000)}`, { cause: error });
  }
  const { endpoint } = containerd;
  const own = { version, socket, data, pid: daemon.pid, containerd, containerdEndpoint: endpoint };
  return { ...calls, ...own, stop, logs: daemon.logs };
}

interface Place {
  readonly bin: string;
  readonly socket: string;
  readonly folder: TempFolder;
  readonly containerd: Containerd;
}

function launch(options: DockerOptions, { bin, socket, folder, containerd }: Place): Daemon {
  const { store, registryHost } = options;
  const { snapshotter } = containerd;
  const graphDriver = snapshotter === "overlayfs" ? "overlay2" : "vfs";
  const config = writeDockerConfig({
    folder: folder.path,
    socket,
    containerd: containerd.socket,
    cgroup: containerd.cgroup,
    store,
    storageDriver: store === "containerd" ? snapshotter : graphDriver,
    ...(registryHost === undefined ? {} : { registryHost }),
  });
  // The engine looks for docker-init, docker-proxy and runc in PATH.
  const env = { PATH: `${bin}:/usr/sbin:/usr/bin:/sbin:/bin`, HOME: folder.path };
  return startDaemon(join(bin, "dockerd"), ["--config-file", config], env);
}

async function hasStarted(daemon: Daemon, { docker }: DockerCalls): Promise<boolean> {
  if (daemon.hasEnded()) return true;
  await docker("version");
  return true;
}
