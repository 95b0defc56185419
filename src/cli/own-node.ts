// The own node in Kubernetes, for commands: its labels decide which node pool's settings hold.
import { ConfigError } from "../config/config-error.ts";
import { type ConfigSources, readLayers } from "../config/layers.ts";
import { type EffectiveConfig, resolveConfig } from "../config/load.ts";
import type { Labels } from "../config/node-pools.ts";
import type { KubernetesConnection } from "../kubernetes/connection.ts";

/** The way to the own node. */
export interface OwnNode {
  readonly connection: KubernetesConnection;
  readonly nodeName: string;
}

/** Milliseconds that a command waits for the node's labels. */
const patience = 10_000;

/** Reads the labels once. Throws `ConfigError` when they cannot be had: another pool's settings must not hold by mistake. */
export async function readLabels(node: OwnNode): Promise<Labels> {
  const { watchNode } = await import("../kubernetes/node.ts");
  const source = watchNode(node);
  source.start();
  try {
    const view = await source.ready(patience);
    if (view.kind === "known") return view.labels;
    throw new ConfigError([`the node pool of this node is not known: ${view.reason}`]);
  } finally {
    await source.stop();
  }
}

/** The configuration with the settings of the node's pool in it. Asks the API server only when there are pools. */
export async function configOnNode(sources: ConfigSources, node: OwnNode | undefined): Promise<EffectiveConfig> {
  const layers = readLayers(sources);
  const base = resolveConfig(layers, {}, sources.file);
  if (node === undefined || base.config.nodePools.length === 0) return base;
  return resolveConfig(layers, await readLabels(node), sources.file);
}
