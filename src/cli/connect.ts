// Chooses the runtime that a configuration means, and builds its adapter.
import { ConfigError } from "../config/config-error.ts";
import type { Config } from "../config/schema.ts";
import type { ReportSink } from "../report/event.ts";
import { connectContainerd } from "../runtime/containerd/containerd-runtime.ts";
import { connectCri } from "../runtime/cri/cri-runtime.ts";
import { type Found, findEndpoint, findRuntime, kindOfEndpoint } from "../runtime/detect.ts";
import { connectDocker } from "../runtime/docker/docker-runtime.ts";
import { tlsFromEnvironment } from "../runtime/docker/endpoint.ts";
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
  return { runtime: adapterOf(found, config, report), found };
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

function adapterOf({ kind, endpoint }: Found, { namespaces }: Config, report: ReportSink): ContainerRuntime {
  const onCall = (call: string, seconds: number): void => report({ kind: "runtime-call", call, seconds });
  switch (kind) {
    case "containerd":
      return connectContainerd({ endpoint, namespaces, onCall });
    case "cri":
      return connectCri({ endpoint, onCall });
    case "docker":
      return connectDocker({ endpoint, tls: tlsFromEnvironment(process.env), onCall });
  }
}
