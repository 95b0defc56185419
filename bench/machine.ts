// What the figures were measured on.
import { cpus, release, totalmem } from "node:os";

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  /** GiB. */
  readonly memory: number;
  readonly kernel: string;
  readonly node: string;
}

export function describeMachine(): Machine {
  const processors = cpus();
  return {
    cores: processors.length,
    cpu: processors[0]?.model.trim() ?? "unknown",
    memory: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.versions.node,
  };
}
