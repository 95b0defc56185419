// Chooses the runtime that a configuration means, and builds its adapter. Only the adapter that is used is loaded.
import { ConfigError } from "../config/config-error.ts";
import type { Config } from "../config/schema.ts";
import type { ReportSink } from "../report/event.ts";
import { type Found, findEndpoint, findRuntime, kindOfEndpoint } from "../runtime/detect.ts";
import { isDockerHost } from "../runtime/known-sockets.ts";
import type { ContainerRuntime } from "../runtime/runtime.ts";

export interface Connected {
  readonly runtime: ContainerRuntime;
  readonly found: Found;
}

/** Asks sockets where the configuration leaves it open. The adapter itself connects when it is asked something. */
export async function connectRuntime(config: Config, report: ReportSink): Promise<Connected> {
  const found = await find(config);
  report({ kind: "notice", level: "info", message: `runtime ${found.kind} at ${found.endpoint}: ${found.why}` });
  for (const other of found.passedOver) report({ kind: "notice", level: "info", message: `passed over: ${other}` });
  return { runtime: await adapterOf(found, config, report), found };
}

function find({ runtime: kind, endpoint, namespaces }: Config): Promise<Found> {
  const options = { namespaces, env: process.env };
  if (kind === "embedded") throw new ConfigError(["the embedded runtime has no socket"]);
  if (endpoint !== undefined) {
    if (kind === "auto") return kindOfEndpoint(endpoint);
    return Promise.resolve({ kind, endpoint, why: "the configuration names it", passedOver: [] });
  }
  return kind === "auto" ? findRuntime(options) : findEndpoint(kind, options);
}

async function adapterOf(
  { kind, endpoint }: Found,
  { namespaces, endpoint: named }: Config,
  report: ReportSink,
): Promise<ContainerRuntime> {
  const onCall = (call: string, seconds: number): void => report({ kind: "runtime-call", call, seconds });
  switch (kind) {
    case "containerd": {
      const { connectContainerd } = await import("../runtime/containerd/containerd-runtime.ts");
      return connectContainerd({ endpoint, namespaces, onCall });
    }
    case "cri": {
      const { connectCri } = await import("../runtime/cri/cri-runtime.ts");
      return connectCri({ endpoint, onCall });
    }
    case "docker": {
      const { connectDocker } = await import("../runtime/docker/docker-runtime.ts");
      const { tlsFromEnvironment } = await import("../runtime/docker/endpoint.ts");
      // A wrong address is to be corrected where it stands.
      const fromEnvironment = isDockerHost(endpoint, process.env) ? "DOCKER_HOST" : undefined;
      const source = named === undefined ? fromEnvironment : "--endpoint";
      return connectDocker({ endpoint, source, tls: tlsFromEnvironment(process.env), onCall });
    }
  }
}
