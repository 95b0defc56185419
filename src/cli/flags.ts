// The flags that commands share as the commands see them, and how they become configuration.
export type OutputFormat = "table" | "json" | "yaml";

/** Flags of every command. */
export interface CommonFlags {
  readonly output?: OutputFormat;
  readonly config?: string;
  readonly logLevel?: string;
  readonly runtime?: string;
  readonly endpoint?: string;
  readonly namespace?: string[];
  readonly pods?: string;
  readonly kubeconfig?: string;
  readonly nodeName?: string;
  readonly stateFile?: string;
  readonly auditFile?: string;
  readonly snapshot?: string;
  readonly snapshotOut?: string;
}

/** Flags of the commands that decide. */
export interface PolicyFlags {
  readonly dangling?: boolean;
  readonly unusedFor?: string;
  readonly danglingFor?: string;
  readonly minAge?: string;
  readonly keepPerRepository?: string;
  readonly maxImageBytes?: string;
  readonly keep?: string[];
  readonly remove?: string[];
  readonly filter?: string[];
}

/** Flags of the controller alone. */
export interface RunOnlyFlags {
  readonly interval?: string;
  readonly listen?: string;
}

/** The flags in the shape of the configuration file. */
export function toConfigTree(flags: CommonFlags & PolicyFlags & RunOnlyFlags): Record<string, unknown> {
  return {
    runtime: flags.runtime,
    endpoint: flags.endpoint,
    namespaces: flags.namespace,
    pods: { source: flags.pods, kubeconfig: flags.kubeconfig, nodeName: flags.nodeName },
    policy: {
      danglingOnly: flags.dangling,
      unusedFor: flags.unusedFor,
      danglingFor: flags.danglingFor,
      minAge: flags.minAge,
      keepPerRepository: numberIn(flags.keepPerRepository),
      maxImageBytes: flags.maxImageBytes,
      keep: flags.keep,
      remove: flags.remove,
      filters: flags.filter,
    },
    stateFile: flags.stateFile,
    audit: { file: flags.auditFile },
    interval: flags.interval,
    http: { listen: flags.listen },
    log: { level: flags.logLevel },
  };
}

/** Flags are text; what is no number is refused by the schema as it was written. */
function numberIn(text: string | undefined): number | string | undefined {
  return text === undefined || !/^\d+$/.test(text) ? text : Number(text);
}
