// The chart's Grafana dashboards as tests and the picture need them: panels, their queries, Grafana's variables filled in.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";

export const dashboardNames = ["fleet", "node"] as const;
export type DashboardName = (typeof dashboardNames)[number];

const datasource = z.object({ type: z.string(), uid: z.string() });
const override = z.object({
  matcher: z.object({ id: z.literal("byName"), options: z.string() }),
  properties: z.array(z.object({ id: z.string(), value: z.unknown() })),
});
const defaults = z.object({
  unit: z.string().optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  decimals: z.number().optional(),
  custom: z
    .object({
      drawStyle: z.string().optional(),
      stacking: z.object({ mode: z.string() }).optional(),
      thresholdsStyle: z.object({ mode: z.string() }).optional(),
    })
    .optional(),
  mappings: z
    .array(z.object({ options: z.record(z.string(), z.object({ text: z.string(), color: z.string() })) }))
    .default([]),
  thresholds: z.object({ steps: z.array(z.object({ color: z.string(), value: z.number().nullable() })) }).optional(),
});
const transformation = z.object({
  id: z.string(),
  options: z.object({ renameByName: z.record(z.string(), z.string()).optional() }),
});
const panelSchema = z.object({
  id: z.number(),
  title: z.string(),
  type: z.enum(["stat", "timeseries", "bargauge", "table"]),
  description: z.string(),
  datasource,
  gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
  interval: z.string().optional(),
  targets: z.array(
    z.object({
      refId: z.string(),
      datasource,
      expr: z.string(),
      legendFormat: z.string(),
      instant: z.boolean(),
    }),
  ),
  fieldConfig: z.object({ defaults, overrides: z.array(override) }),
  transformations: z.array(transformation).default([]),
});
const dashboardSchema = z.object({
  uid: z.string(),
  title: z.string(),
  schemaVersion: z.number(),
  links: z.array(z.object({ url: z.string() })),
  templating: z.object({
    list: z.array(z.object({ name: z.string(), type: z.string(), definition: z.string().optional() })),
  }),
  panels: z.array(panelSchema),
});

export type Dashboard = z.infer<typeof dashboardSchema>;
export type Panel = z.infer<typeof panelSchema>;

export function dashboardFile(name: DashboardName): string {
  return join(import.meta.dirname, "../../charts/prunelet/files/dashboards", `${name}.json`);
}

export function readDashboard(name: DashboardName): Dashboard {
  return dashboardSchema.parse(JSON.parse(readFileSync(dashboardFile(name), "utf8")));
}

/** What Grafana puts in the place of its variables. */
export interface Variables {
  /** A regular expression for the label `node`. */
  readonly node: string;
  /** The window of rates, e.g. `20s`. */
  readonly rateInterval: string;
  /** The time range shown, e.g. `5m`. */
  readonly range: string;
}

/** The expression as Grafana sends it. Fails when a variable is left that is not known here. */
export function filledIn(expression: string, { node, rateInterval, range }: Variables): string {
  const filled = expression
    .replaceAll("$__rate_interval", rateInterval)
    .replaceAll("$__range", range)
    .replaceAll("$node", node);
  if (filled.includes("$")) throw new Error(`a variable is left in ${filled}`);
  return filled;
}

/** The name of a series, from the legend format of its query. */
export function legendOf(format: string, labels: Readonly<Record<string, string>>): string {
  return format.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_, label: string) => labels[label] ?? "").trim();
}
