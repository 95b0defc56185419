// Which Prometheus tools this machine has, as scripts/prometheus-tools.mjs fetched them.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";

const manifestFile = join(import.meta.dirname, "../../.cache/prometheus/tools.json");

const manifestSchema = z.object({ bin: z.string().optional(), missing: z.string().optional() });

/** Why the tests cannot talk to Prometheus here; undefined when they can. With CI=true nothing is skipped. */
export function skipReason(): string | undefined {
  if (process.env["CI"] !== undefined) return undefined;
  const { bin, missing } = readManifest();
  return bin === undefined ? missing : undefined;
}

/** The title of tests that need Prometheus, with the reason when they are skipped. */
export function titled(title: string): string {
  const reason = skipReason();
  return reason === undefined ? title : `${title} (skipped: ${reason})`;
}

/** The path of a tool, or an error that says why there is none. */
export function toolPath(name: "prometheus" | "promtool"): string {
  const { bin, missing } = readManifest();
  if (bin === undefined) throw new Error(missing);
  return join(bin, name);
}

/** Runs promtool and returns what it printed; fails with that text when promtool fails. */
export function promtool(args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(toolPath("promtool"), args, { encoding: "utf8", timeout: 60_000 });
  const text = `${stdout}${stderr}`;
  if (status !== 0) throw new Error(`promtool ${args.join(" ")} failed:\n${text}`);
  return text;
}

function readManifest(): z.infer<typeof manifestSchema> {
  if (!existsSync(manifestFile))
    return { missing: "Prometheus was never looked for: run `node scripts/prometheus-tools.mjs`" };
  return manifestSchema.parse(JSON.parse(readFileSync(manifestFile, "utf8")));
}
