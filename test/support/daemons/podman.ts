// A real Podman service for one test, with private storage, spoken to through its Docker-compatible socket.
import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { createTempFolder } from "../temp.ts";
import { waitFor } from "../wait.ts";
import { clearAway } from "./clear-away.ts";
import { type DockerCalls, dockerCalls } from "./docker-cli.ts";
import { guardProcess } from "./guard.ts";
import { findDocker, findProgram, required } from "./manifest.ts";
import { canMountOverlay } from "./overlay.ts";
import { startDaemon } from "./processes.ts";

/** A running service, with Docker's own command line as its client. Everything is gone after `stop`. */
export interface Podman extends DockerCalls {
  readonly socket: string;
  /** Parent cgroup that containers must be made in, so that `stop` finds them. */
  readonly cgroup: string;
  stop(): Promise<void>;
  logs(): string;
}

export interface PodmanOptions {
  /** `host:port` of a registry that speaks plain HTTP. */
  readonly registryHost?: string;
}

/** Starts a service and waits until it answers. Stop it in `afterAll` or `afterEach`. */
export async function startPodman({ registryHost }: PodmanOptions = {}): Promise<Podman> {
  guardProcess();
  const folder = createTempFolder();
  const socket = join(folder.path, "p.sock");
  const registries = join(folder.path, "registries.conf");
  writeFileSync(registries, registriesConf(registryHost));
  const containers = join(folder.path, "containers.conf");
  writeFileSync(containers, containersConf);
  const place = { root: "root", runroot: "run", tmpdir: "tmp" } as const;
  const folders = Object.entries(place).flatMap(([flag, name]) => [`--${flag}`, join(folder.path, name)]);
  const settings = [
    ...["--storage-driver", canMountOverlay(folder.path) ? "overlay" : "vfs"],
    ...["--cgroup-manager", "cgroupfs", "--events-backend", "file", "--runtime", required(findProgram("runc"))],
  ];
  const args = [...folders, ...settings, "system", "service", "--time", "0", `unix://${socket}`];
  const env = { CONTAINERS_REGISTRIES_CONF: registries, CONTAINERS_CONF: containers, HOME: folder.path };
  const daemon = startDaemon(required(findProgram("podman")), args, env);
  const calls = dockerCalls({ bin: required(findDocker("28")), socket, folder: folder.path });
  const stop = async () => {
    daemon.signal("SIGKILL");
    await waitFor("podman to be dead", daemon.hasEnded);
    clearAway(folder.path);
  };
  try {
    const answers = async () => daemon.hasEnded() || (await calls.docker("version")).code === 0;
    await waitFor("podman to answer", answers, { timeoutMs: 30_000 });
    if (daemon.hasEnded()) throw new Error("podman ended at once");
  } catch (error) {
    await stop();
    throw new Error(`Podman: ${daemon.logs().slice(-4_000)}`, { cause: error });
  }
  return { ...calls, socket, cgroup: `/${basename(folder.path)}`, stop, logs: daemon.logs };
}

/** Limits that a test machine of any kind allows. */
const containersConf = `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
`;

function registriesConf(host: string | undefined): string {
  const own = host === undefined ? "" : `[[registry]]\nlocation = "${host}"\ninsecure = true\n`;
  return `unqualified-search-registries = ["docker.io"]\n${own}`;
}
