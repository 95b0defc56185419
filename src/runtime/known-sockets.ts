// Where container runtimes usually listen.

/** The runtimes of a live node. */
export type LiveRuntimeKind = "containerd" | "cri" | "docker";

/** A socket that a runtime usually listens on. */
export interface KnownSocket {
  /** What is expected behind it; who really answers is asked. */
  readonly kind: LiveRuntimeKind;
  readonly path: string;
  /** Whose habit it is. */
  readonly distribution: string;
}

/** In the order in which they are looked at. */
export const knownSockets: readonly KnownSocket[] = [
  { kind: "containerd", path: "/run/containerd/containerd.sock", distribution: "containerd" },
  { kind: "containerd", path: "/run/k3s/containerd/containerd.sock", distribution: "k3s, RKE2" },
  { kind: "containerd", path: "/var/snap/microk8s/common/run/containerd.sock", distribution: "MicroK8s" },
  { kind: "containerd", path: "/run/k0s/containerd.sock", distribution: "k0s" },
  { kind: "cri", path: "/run/crio/crio.sock", distribution: "CRI-O" },
  { kind: "cri", path: "/run/cri-dockerd.sock", distribution: "cri-dockerd" },
  { kind: "docker", path: "/run/docker.sock", distribution: "Docker Engine" },
  { kind: "docker", path: "/run/podman/podman.sock", distribution: "Podman" },
];

/** Docker's own variable for where the engine listens; it stands for Docker's usual socket. */
export const dockerHostVariable = "DOCKER_HOST";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The usual places of this environment. `root` stands before every usual path: where the node's root is seen from here. */
export function usualSockets(env: Environment, root = ""): readonly KnownSocket[] {
  const dockerHost = dockerHostPath(env);
  return knownSockets.map((socket) => {
    if (socket.distribution === "Docker Engine" && dockerHost) return { ...socket, path: dockerHost };
    return { ...socket, path: `${root}${socket.path}` };
  });
}

function dockerHostPath(env: Environment): string | undefined {
  return env[dockerHostVariable]?.replace(/^unix:\/\//, "");
}

/** True when this endpoint was taken from DOCKER_HOST. */
export function isDockerHost(endpoint: string, env: Environment): boolean {
  const dockerHost = dockerHostPath(env);
  return dockerHost !== undefined && dockerHost !== "" && endpoint === endpointOf(dockerHost);
}

/** The address of a socket as flags and files spell it. */
export function endpointOf(path: string): string {
  return path.startsWith("/") ? `unix://${path}` : path;
}
