// The flags that several commands share.
import { InvalidArgumentError } from "commander";
import type { FlagGroup } from "./command-spec.ts";

/** Flags of every command that looks at a node. */
export const nodeFlags: readonly FlagGroup[] = [
  {
    heading: "Output and configuration",
    flags: [
      {
        flags: "-o, --output <format>",
        meaning: "output format",
        choices: ["table", "json", "yaml"],
        default: "table",
      },
      { flags: "--config <file>", meaning: "configuration file (YAML)", completes: "files" },
      {
        flags: "--log-level <level>",
        meaning: "log level",
        key: "log.level",
        keyDefault: "info",
        choices: ["debug", "info", "warn", "error"],
      },
    ],
  },
  {
    heading: "Which node",
    flags: [
      {
        flags: "--runtime <kind>",
        meaning: "container runtime",
        key: "runtime",
        keyDefault: "auto",
        choices: ["auto", "containerd", "cri", "docker", "embedded"],
      },
      {
        flags: "--endpoint <unix:///path.sock>",
        meaning: "socket of the runtime; a Docker Engine may also be tcp://host:port or https://host:port",
        key: "endpoint",
        parse: endpoint,
      },
      {
        flags: "--namespace <name>",
        meaning: "namespace to look at, of containerd or of a captured node (there all by default)",
        key: "namespaces",
        keyDefault: "k8s.io",
        repeatable: true,
      },
      {
        flags: "--pods <source>",
        meaning: "where the pods of this node come from",
        key: "pods.source",
        keyDefault: "auto",
        choices: ["auto", "kubernetes", "none"],
      },
      {
        flags: "--kubeconfig <file>",
        meaning: "kubeconfig to reach the API server",
        key: "pods.kubeconfig",
        completes: "files",
      },
      {
        flags: "--node-name <name>",
        meaning: "name of this node in Kubernetes (default: NODE_NAME)",
        key: "pods.nodeName",
      },
      {
        flags: "--state-file <file>",
        meaning: "where ages and last uses are remembered",
        key: "stateFile",
        keyDefault: "/var/lib/prunelet/state.json",
        completes: "files",
      },
      {
        flags: "--audit-file <file>",
        meaning: "where removals are recorded; empty for nowhere",
        key: "audit.file",
        keyDefault: "/var/lib/prunelet/audit.jsonl",
        completes: "files",
      },
      {
        flags: "--snapshot <file>",
        meaning: "work in memory on a captured node instead of a live one",
        completes: "files",
      },
      { flags: "--snapshot-out <file>", meaning: "write the state of the node afterwards", completes: "files" },
    ],
  },
];

/** Flags of the commands that decide what may go. */
export const policyFlags: FlagGroup = {
  heading: "What may go",
  flags: [
    { flags: "--dangling", meaning: "only images without a tag or digest reference" },
    { flags: "--unused-for <duration>", meaning: "only what nothing has used for this long, e.g. 24h" },
    { flags: "--dangling-for <duration>", meaning: "the same for dangling images, when it differs" },
    {
      flags: "--min-age <duration>",
      meaning: "only what was pulled or first seen at least this long ago, e.g. 10m",
    },
    { flags: "--keep-per-repository <number>", meaning: "this many newest tags of each repository stay" },
    {
      flags: "--keep <pattern>",
      meaning: "reference, glob, /regular expression/, digest or label:key=value that stays",
      repeatable: true,
    },
    {
      flags: "--remove <pattern>",
      meaning: "goes first and whatever its age, as soon as nothing uses it",
      repeatable: true,
    },
    {
      flags: "--max-image-bytes <size>",
      meaning: "beyond this, images go whatever the time since their last use, e.g. 40Gi",
    },
    { flags: "--filter <filter>", meaning: "until=..., label=..., label!=..., dangling=...", repeatable: true },
  ],
};

function endpoint(value: string): string {
  if (/^(unix:\/\/\/.+|(tcp|https?):\/\/[^/]+\/?)$/.test(value)) return value;
  const forms =
    "unix:// and an absolute path, e.g. unix:///run/containerd/containerd.sock, or tcp://host:port for a Docker Engine";
  throw new InvalidArgumentError(`write ${forms}`);
}
