// Finds the container runtime of a node by its well-known sockets.
import { existsSync } from "node:fs";

/** A socket that a runtime usually listens on. */
export interface KnownSocket {
  readonly kind: "containerd";
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
];

/** The known sockets that are there. */
export function findSockets(exists: (path: string) => boolean = existsSync): readonly KnownSocket[] {
  return knownSockets.filter((socket) => exists(socket.path));
}
