// The configuration: one schema from which the types, the defaults, the checks, the documentation and the chart's checks come.
import * as z from "zod";
import { orderNames } from "../decide/order.ts";
import { duration, endpoint, filters, labelMatch, listen, patterns, podNamespaces, share, size } from "./fields.ts";
import { pressure, triggers, windows } from "./pressure-fields.ts";

const enabled = z.boolean().describe("false: nothing is observed and nothing is removed");
const interval = duration({ min: "100ms" }).describe("Time between two rounds");
const jitter = share().describe("Share of the interval by which rounds are spread");

const pods = z.strictObject({
  source: z.enum(["auto", "kubernetes", "none"]).describe("Where the pods of this node come from").prefault("auto"),
  kubeconfig: z.string().describe("Kubeconfig file; without it the service account or KUBECONFIG is used").optional(),
  nodeName: z.string().describe("Name of this node in Kubernetes").optional(),
  staleAfter: duration({ min: "100ms", max: "1h" })
    .describe("Nothing is removed when the API server was not heard from for this long; at most 1h")
    .prefault("5m"),
});

const policy = z.strictObject({
  unusedFor: duration().describe("An image goes when nothing has used it for this long").prefault("24h"),
  minAge: duration()
    .describe("An image stays when it was pulled, or first seen, less than this long ago")
    .prefault("10m"),
  danglingFor: duration()
    .describe("The same for images without a tag or digest reference; as long as unusedFor when it is not set")
    .optional(),
  danglingOnly: z.boolean().describe("Only images without a tag or digest reference may go").prefault(false),
  keepPerRepository: z
    .number()
    .int()
    .min(0)
    .max(1_000)
    .describe("This many newest tags of each repository stay; 0: no such rule")
    .prefault(0),
  keep: patterns
    .describe("References, globs, /regular expressions/, digests or label:key=value of images that stay")
    .prefault([]),
  remove: patterns
    .describe("Patterns of what goes first and whatever its age, as soon as nothing uses it and nothing else keeps it")
    .prefault([]),
  filters: filters
    .describe("until=..., label=... and label!=... conditions that an image must meet to go")
    .prefault([]),
  podNamespaces: z
    .strictObject({
      only: podNamespaces
        .describe("Only images that pods of these namespaces alone used last may go; all when there are none")
        .prefault([]),
      except: podNamespaces.describe("Images that pods of these namespaces used last stay").prefault([]),
    })
    .prefault({}),
  maxImageBytes: size()
    .describe("Bytes that all images together may take, e.g. 40Gi: beyond, the least needed go")
    .optional(),
  order: z.enum(orderNames).describe("Which image goes before which").prefault("least-recently-used"),
});

const safety = z.strictObject({
  maxRemovalsPerRun: z
    .number()
    .int()
    .min(1)
    .describe("Images that one round removes, at most; any number when it is not set")
    .optional(),
  maxRemovalFraction: share()
    .describe("Share of the node's images that one round removes, at most; any share when it is not set")
    .optional(),
  // The liveness probe takes a round for dead that removes nothing for 15 minutes.
  pause: duration({ max: "10m" })
    .describe("Wait after each image that was removed, at most 10m; more than 0 removes one after the other")
    .prefault("0"),
});

const act = z.strictObject({
  concurrency: z
    .number()
    .int()
    .min(1)
    .max(64)
    .describe("Images removed side by side, as far as none of them stands on another")
    .prefault(16),
  callTimeout: duration({ min: "1ms", max: "1d" })
    .describe("Deadline of one call to the runtime, at most 1d")
    .prefault("30s"),
});

const http = z.strictObject({
  listen: listen.describe("Address of /metrics, /healthz and /readyz").prefault("0.0.0.0:9095"),
});

const events = z.strictObject({
  enabled: z.boolean().describe("Write Kubernetes events on the Node object").prefault(true),
  maxPerHour: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .describe("Event writes to the API server in an hour, at most")
    .prefault(20),
});

const log = z.strictObject({
  level: z
    .enum(["debug", "info", "warn", "error"])
    .describe("The least important lines that are written")
    .prefault("info"),
  format: z.enum(["auto", "json", "text"]).describe("auto: text on a terminal, JSON elsewhere").prefault("auto"),
});

const audit = z.strictObject({
  file: z
    .string()
    .describe("Where removals are recorded, a line of JSON each; empty for nowhere")
    .prefault("/var/lib/prunelet/audit.jsonl"),
  maxSize: size()
    .refine((bytes) => bytes >= 2 ** 16, "is too small: at least 64Ki")
    .describe("Size at which the file is put aside and a new one begins")
    .prefault("10Mi"),
  keep: z.number().int().min(0).max(1000).describe("How many files that were put aside are kept").prefault(5),
});

const nodePool = z.strictObject({
  name: z.string().min(1).describe("Name for logs and `prunelet config`"),
  match: labelMatch.describe(
    'Node labels that must all be there: key to value, to a list of values, or to "*" for any',
  ),
  enabled: enabled.optional(),
  interval: interval.optional(),
  jitter: jitter.optional(),
  policy: overlay(policy).describe("Settings of `policy` that differ here").optional(),
  safety: overlay(safety).describe("Settings of `safety` that differ here").optional(),
  act: overlay(act).describe("Settings of `act` that differ here").optional(),
  pressure: overlay(pressure).describe("Settings of `pressure` that differ here").optional(),
  windows: windows.describe("Windows instead of the others").optional(),
});

const nodePools = z.array(nodePool).superRefine((pools, context) => {
  pools.forEach(({ name }, index) => {
    if (pools.findIndex((pool) => pool.name === name) === index) return;
    const message = `is ${JSON.stringify(name)}, as that of another pool: give each pool a name of its own`;
    context.addIssue({ code: "custom", path: [index, "name"], message });
  });
});

/** The whole configuration. Unknown keys are refused; every key has a default. */
export const configSchema = z.strictObject({
  enabled: enabled.prefault(true),
  runtime: z
    .enum(["auto", "containerd", "cri", "docker", "embedded"])
    .describe("The node's container runtime")
    .prefault("auto"),
  endpoint: endpoint
    .describe(
      "Where the runtime listens: unix:///path.sock, for a Docker Engine also tcp://host:port or https://host:port",
    )
    .optional(),
  namespaces: z.array(z.string()).min(1).describe("containerd namespaces to look after").prefault(["k8s.io"]),
  pods: pods.prefault({}),
  interval: interval.prefault("10m"),
  jitter: jitter.prefault(0.1),
  startJitter: duration()
    .describe(
      "The agent waits up to this long before it asks the API server for the first time; 0 outside of a cluster",
    )
    .prefault("30s"),
  policy: policy.prefault({}),
  safety: safety.prefault({}),
  act: act.prefault({}),
  pressure: pressure.prefault({}),
  triggers: triggers.prefault({}),
  windows: windows
    .describe("When routine rounds may remove; always when there are none. Pressure does not wait for them")
    .prefault([]),
  stateFile: z.string().describe("Where ages and last uses are remembered").prefault("/var/lib/prunelet/state.json"),
  audit: audit.prefault({}),
  http: http.prefault({}),
  events: events.prefault({}),
  log: log.prefault({}),
  nodePools: nodePools
    .describe("Settings for nodes with certain labels; the first pool that matches counts")
    .prefault([]),
});

/** A checked configuration. Durations are in milliseconds, shares are numbers from 0 to 1. */
export type Config = z.output<typeof configSchema>;

/** The configuration file as JSON Schema (draft 2020-12): what people may write, with defaults and descriptions. */
export function configJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(configSchema, { io: "input" }) as Record<string, unknown>;
}

/** The same settings, none of which has to be there or has a default. */
function overlay(section: z.ZodObject): z.ZodObject {
  const fields = Object.entries(section.shape).map(([key, field]) => {
    const bare = field instanceof z.ZodPrefault ? (field.unwrap() as z.ZodType) : (field as z.ZodType);
    return [key, (bare instanceof z.ZodObject ? overlay(bare) : bare).optional()] as const;
  });
  return z.strictObject(Object.fromEntries(fields));
}
