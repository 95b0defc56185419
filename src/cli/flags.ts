// The flags that commands share, and how they become configuration.
import { type Command, InvalidArgumentError, Option } from "commander";

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
  readonly snapshot?: string;
  readonly snapshotOut?: string;
}

/** Flags of the commands that decide. */
export interface PolicyFlags {
  readonly dangling?: boolean;
  readonly unusedFor?: string;
  readonly minAge?: string;
  readonly keep?: string[];
  readonly filter?: string[];
}

/** Flags of the controller alone. */
export interface RunOnlyFlags {
  readonly interval?: string;
  readonly listen?: string;
}

/** Adds the flags of every command. */
export function addCommonFlags(command: Command): Command {
  return command
    .addOption(new Option("-o, --output <format>", "output format").choices(["table", "json", "yaml"]).default("table"))
    .option("--config <file>", "configuration file (YAML)")
    .addOption(new Option("--log-level <level>", "log level").choices(["debug", "info", "warn", "error"]))
    .addOption(
      new Option("--runtime <kind>", "container runtime").choices(["auto", "containerd", "cri", "docker", "embedded"]),
    )
    .option("--endpoint <unix:///path.sock>", "socket of the runtime", endpoint)
    .option("--namespace <name>", "containerd namespace, repeatable", collect)
    .addOption(
      new Option("--pods <source>", "where the pods of this node come from").choices(["auto", "kubernetes", "none"]),
    )
    .option("--kubeconfig <file>", "kubeconfig to reach the API server")
    .option("--node-name <name>", "name of this node in Kubernetes (default: NODE_NAME)")
    .option("--state-file <file>", "where ages and last uses are remembered")
    .option("--snapshot <file>", "work in memory on a captured node instead of a live one")
    .option("--snapshot-out <file>", "write the state of the node afterwards");
}

/** Adds the flags of the commands that decide what may go. */
export function addPolicyFlags(command: Command): Command {
  return command
    .option("--dangling", "only images without a tag or digest reference")
    .option("--unused-for <duration>", "only what nothing has used for this long, e.g. 24h")
    .option("--min-age <duration>", "only what was pulled or first seen at least this long ago, e.g. 10m")
    .option("--keep <pattern>", "reference, glob, /regular expression/ or digest that stays, repeatable", collect)
    .option("--filter <filter>", "until=..., label=..., label!=..., dangling=..., repeatable", collect);
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
      minAge: flags.minAge,
      keep: flags.keep,
      filters: flags.filter,
    },
    stateFile: flags.stateFile,
    interval: flags.interval,
    http: { listen: flags.listen },
    log: { level: flags.logLevel },
  };
}

/** Collects the values of a repeatable flag. */
export function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

function endpoint(value: string): string {
  if (/^unix:\/\/\/.+/.test(value)) return value;
  throw new InvalidArgumentError("write unix:// and an absolute path, e.g. unix:///run/containerd/containerd.sock");
}
