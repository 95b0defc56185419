// The address of the daemon: a unix socket, spelled `unix:///path` or as a bare absolute path.
import { RuntimeError } from "../runtime-error.ts";

/** The path of the socket that `endpoint` spells. Throws `invalid-argument` for anything but a unix socket. */
export function socketPath(endpoint: string): string {
  const path = endpoint.startsWith("unix://") ? endpoint.slice("unix://".length) : endpoint;
  if (path.startsWith("/")) return path;
  throw new RuntimeError(
    "invalid-argument",
    "connect",
    `"${endpoint}" is not a unix socket: write it as unix:///run/containerd/containerd.sock`,
  );
}
