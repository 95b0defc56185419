// `prunelet config`: the configuration as the agent would use it, with the origin of every value; or everything that is wrong with it.
import { type ConfigSources, type Origin, readLayers } from "../config/layers.ts";
import { type EffectiveConfig, type EffectiveSetting, resolveConfig } from "../config/load.ts";
import type { Labels } from "../config/node-pools.ts";
import { newTree, setPath } from "../config/tree.ts";
import { findKubernetes } from "../kubernetes/connection.ts";
import { commandSources } from "./command-context.ts";
import { CommandError, exitCode } from "./exit.ts";
import type { CommonFlags, PolicyFlags } from "./flags.ts";
import { print, renderTable } from "./output.ts";
import { readLabels } from "./own-node.ts";

export interface ConfigFlags extends CommonFlags, PolicyFlags {
  readonly nodeLabel?: string[];
}

/** Prints the configuration and returns 0; throws `ConfigError`, exit code 2, with every problem. */
export async function configCommand(flags: ConfigFlags): Promise<number> {
  const sources = commandSources(flags, { ages: true });
  const effective = await onNode(sources, flags);
  const { settings, pool } = effective;
  const data = { nodePool: pool ?? null, config: toTree(settings), origins: originsOf(settings, sources) };
  print(flags.output, data, () => table(effective, sources));
  return exitCode.done;
}

async function onNode(sources: ConfigSources, flags: ConfigFlags): Promise<EffectiveConfig> {
  const layers = readLayers(sources);
  const base = resolveConfig(layers, {}, sources.file);
  if (flags.nodeLabel !== undefined) return resolveConfig(layers, parseLabels(flags.nodeLabel), sources.file);
  const { nodePools, pods } = base.config;
  if (nodePools.length === 0) return base;
  const { source: mode, kubeconfig, nodeName } = pods;
  const options = { ...(kubeconfig && { kubeconfig }), ...(nodeName && { nodeName }) };
  const found = await findKubernetes({ mode, env: process.env, ...options });
  if (found.kind === "kubernetes") return resolveConfig(layers, await readLabels(found), sources.file);
  process.stderr.write(
    "prunelet: without Kubernetes the node has no labels, so no node pool holds: give --node-label key=value\n",
  );
  return base;
}

function parseLabels(texts: readonly string[]): Labels {
  const labels = texts.map((text) => {
    const match = /^([^=]+)=(.*)$/.exec(text);
    if (match === null)
      throw new CommandError(`node label ${JSON.stringify(text)} is none: write key=value`, exitCode.usage);
    return [match[1] as string, match[2] as string] as const;
  });
  return Object.fromEntries(labels);
}

function toTree(settings: readonly EffectiveSetting[]): unknown {
  const tree = newTree();
  for (const { path, value } of settings) setPath(tree, path, value);
  return tree;
}

function originsOf(settings: readonly EffectiveSetting[], sources: ConfigSources): Record<string, string> {
  return Object.fromEntries(settings.map(({ path, origin }) => [path.join("."), originText(origin, sources)]));
}

function originText(origin: Origin, { file }: ConfigSources): string {
  return origin === "file" ? `file ${file}` : origin;
}

/** Whole pools are too long for a table: their names have to do. */
function cell(path: readonly string[], value: unknown): string {
  if (path[0] === "nodePools" && Array.isArray(value)) {
    return value.length === 0 ? "[]" : value.map((pool: { readonly name: string }) => pool.name).join(", ");
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}

function table({ settings, pool }: EffectiveConfig, sources: ConfigSources): string {
  const rows = settings.map(({ path, value, origin }) => [
    path.join("."),
    cell(path, value),
    originText(origin, sources),
  ]);
  const shown = renderTable(["SETTING", "VALUE", "ORIGIN"], rows);
  return pool === undefined ? shown : `${shown}\n\nnode pool ${pool}`;
}
