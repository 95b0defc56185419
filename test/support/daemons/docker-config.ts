// The configuration file of a test Docker Engine: everything in private folders, no networks, no firewall rules.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export interface DockerSettings {
  /** Everything the engine writes is below. */
  readonly folder: string;
  readonly socket: string;
  /** Socket of the containerd beneath. */
  readonly containerd: string;
  /** Parent cgroup of all containers, with a leading slash. */
  readonly cgroup: string;
  readonly store: "containerd" | "overlay2";
  /** A snapshotter for the containerd store, a graph driver otherwise. */
  readonly storageDriver: string;
  /** `host:port` of a registry that speaks plain HTTP. */
  readonly registryHost?: string;
}

/** Writes the configuration; returns the path of the file. */
export function writeDockerConfig(settings: DockerSettings): string {
  const file = join(settings.folder, "daemon.json");
  writeFileSync(file, JSON.stringify(configOf(settings), undefined, 2));
  return file;
}

function configOf(settings: DockerSettings): unknown {
  const { folder, socket, containerd, cgroup, store, storageDriver, registryHost } = settings;
  return {
    hosts: [`unix://${socket}`],
    "data-root": join(folder, "data"),
    "exec-root": join(folder, "exec"),
    pidfile: join(folder, "docker.pid"),
    containerd,
    "cgroup-parent": cgroup,
    "exec-opts": ["native.cgroupdriver=cgroupfs"],
    "storage-driver": storageDriver,
    features: { "containerd-snapshotter": store === "containerd" },
    "insecure-registries": registryHost === undefined ? [] : [registryHost],
    bridge: "none",
    iptables: false,
    ip6tables: false,
    "ip-forward": false,
    "userland-proxy": false,
  };
}
