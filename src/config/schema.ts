// The configuration: one schema from which the types, the defaults and the checks come.
import * as z from "zod";
import { durationForm, parseDuration } from "./units.ts";

const duration = (whenAbsent: string) =>
  z
    .string()
    .default(whenAbsent)
    .transform((text, context) => {
      const milliseconds = parseDuration(text);
      if (milliseconds !== undefined) return milliseconds;
      context.addIssue({ code: "custom", message: `is ${JSON.stringify(text)}: expected ${durationForm}` });
      return z.NEVER;
    });

/** Text of a certain shape; `form` says which, for error messages. */
const shaped = (shape: RegExp, form: string) =>
  z.string().regex(shape, { error: ({ input }) => `is ${JSON.stringify(input)}: expected ${form}` });

const port = String.raw`(\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])`;
const listen = shaped(new RegExp(`^.*:${port}$`), "host:port, e.g. 0.0.0.0:9095");
const socket = shaped(/^unix:\/\/\/.+/, "unix:// and an absolute path, e.g. unix:///run/containerd/containerd.sock");

const strings = z.array(z.string()).default([]);

const pods = z
  .strictObject({
    source: z.enum(["auto", "kubernetes", "none"]).default("auto").describe("Where the pods of this node come from"),
    kubeconfig: z.string().optional().describe("Kubeconfig file; without it the service account or KUBECONFIG is used"),
    nodeName: z.string().optional().describe("Name of this node in Kubernetes"),
    staleAfter: duration("5m").describe("Nothing is removed when the API server was not heard from for this long"),
  })
  .prefault({});

const policy = z
  .strictObject({
    unusedFor: duration("24h").describe("An image goes when nothing has used it for this long"),
    minAge: duration("10m").describe("An image stays when it was pulled, or first seen, less than this long ago"),
    danglingOnly: z.boolean().default(false).describe("Only images without a tag or digest reference may go"),
    keep: strings.describe("References, globs, /regular expressions/ or digests that stay"),
    filters: strings.describe("until=..., label=... and label!=... conditions that an image must meet to go"),
  })
  .prefault({});

const act = z
  .strictObject({
    concurrency: z.number().int().min(1).max(64).default(4).describe("Images removed side by side"),
    callTimeout: duration("30s").describe("Deadline of one call to the runtime"),
  })
  .prefault({});

const http = z
  .strictObject({ listen: listen.default("0.0.0.0:9095").describe("Address of /metrics, /healthz and /readyz") })
  .prefault({});

const log = z
  .strictObject({
    level: z.enum(["debug", "info", "warn", "error"]).default("info"),
    format: z.enum(["auto", "json", "text"]).default("auto").describe("auto: text on a terminal, JSON elsewhere"),
  })
  .prefault({});

/** The whole configuration. Unknown keys are refused; every key has a default. */
export const configSchema = z.strictObject({
  runtime: z
    .enum(["auto", "containerd", "cri", "docker", "embedded"])
    .default("auto")
    .describe("The node's container runtime"),
  endpoint: socket.optional().describe("The runtime's socket, unix:///path.sock"),
  namespaces: z.array(z.string()).min(1).default(["k8s.io"]).describe("containerd namespaces to look after"),
  pods,
  interval: duration("10m").describe("Time between two rounds"),
  jitter: z.number().min(0).max(1).default(0.1).describe("Share of the interval by which rounds are spread"),
  policy,
  act,
  stateFile: z.string().default("/var/lib/prunelet/state.json").describe("Where ages and last uses are remembered"),
  http,
  log,
});

/** A checked configuration. Durations are in milliseconds. */
export type Config = z.output<typeof configSchema>;
