// Puts the configuration together and checks it: defaults, file, node pool, environment, flags; later ones win.
import { ConfigError } from "./config-error.ts";
import { describeIssue } from "./describe-issue.ts";
import { type ConfigSources, type Layer, type Origin, readLayers } from "./layers.ts";
import { findNodePool, type Labels } from "./node-pools.ts";
import { type Config, configSchema } from "./schema.ts";
import { environmentName, settings } from "./settings.ts";
import { getPath, hasPath, isTree, merge, newTree, type Tree } from "./tree.ts";

/** One setting as it holds. */
export interface EffectiveSetting {
  readonly path: readonly string[];
  /** As people would write it. */
  readonly value: unknown;
  readonly origin: Origin;
}

/** A configuration with the origin of every value. */
export interface EffectiveConfig {
  readonly config: Config;
  /** Name of the node pool whose settings are in it; undefined when there is none. */
  readonly pool: string | undefined;
  readonly settings: readonly EffectiveSetting[];
}

/** Loads and checks the configuration, node pools left aside. Throws `ConfigError` with every problem found. */
export function loadConfig(sources: ConfigSources): Config {
  const layers = readLayers(sources);
  return parseTree(mergeLayers(layers), layers, sources.file);
}

/**
 * Checks what the places say for a node with these labels; `file` is named in problems. Throws `ConfigError` with every
 * problem found.
 */
export function resolveConfig(layers: readonly Layer[], labels: Labels, file: string | undefined): EffectiveConfig {
  // Checked as it was written first, so that problems carry the paths of the file.
  const base = parseTree(mergeLayers(layers), layers, file);
  const pools = parsePools(base, layers, file);
  const pool = findNodePool(base.nodePools, labels);
  return (pool && pools.get(pool.name)) ?? effective(base, undefined, layers);
}

/** Each pool's settings together with all others: a pool that does not fit them is refused before any node belongs to it. */
function parsePools(
  { nodePools }: Config,
  layers: readonly Layer[],
  file: string | undefined,
): ReadonlyMap<string, EffectiveConfig> {
  const parsed = new Map<string, EffectiveConfig>();
  const problems: string[] = [];
  for (const { name } of nodePools) {
    const withPool = layers.flatMap((layer) => (layer.origin === "file" ? [layer, poolLayer(layers, name)] : [layer]));
    try {
      parsed.set(name, effective(parseTree(mergeLayers(withPool), withPool, file), name, withPool));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems.map((problem) => `${problem} (with the settings of node pool ${name})`));
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return parsed;
}

/** The list of all settings takes some milliseconds, and few ask for it. */
function effective(config: Config, pool: string | undefined, layers: readonly Layer[]): EffectiveConfig {
  return {
    config,
    pool,
    get settings() {
      return settingsOf(layers);
    },
  };
}

/** What a pool changes, as it was written. Only a file can say so. */
function poolLayer(layers: readonly Layer[], name: string): Layer {
  const pools = layers.map(({ tree }) => tree["nodePools"]).findLast((value) => Array.isArray(value)) ?? [];
  const written = pools.find((pool: unknown) => isTree(pool) && pool["name"] === name) as Tree;
  const { name: _, match: __, ...tree } = written;
  return { origin: `node pool ${name}`, tree };
}

function mergeLayers(layers: readonly Layer[]): Tree {
  const tree = newTree();
  for (const layer of layers) merge(tree, layer.tree);
  return tree;
}

function settingsOf(layers: readonly Layer[]): EffectiveSetting[] {
  const tree = mergeLayers(layers);
  return settings().flatMap(({ path, default: whenAbsent }) => {
    const value = getPath(tree, path) ?? whenAbsent;
    const origin = layers.findLast((layer) => getPath(layer.tree, path) !== undefined)?.origin ?? "default";
    return value === undefined ? [] : [{ path, value, origin }];
  });
}

function parseTree(tree: Tree, layers: readonly Layer[], file: string | undefined): Config {
  const result = configSchema.safeParse(tree);
  if (result.success) return result.data;
  const whereIs = (path: readonly PropertyKey[]): string => {
    switch (layers.findLast((layer) => hasPath(layer.tree, path))?.origin) {
      case "flag":
        return "";
      case "environment":
        return `${environmentName(path.map(String).filter(isKey))}: `;
      default:
        return file === undefined ? "" : `${file}: `;
    }
  };
  throw new ConfigError(
    result.error.issues.flatMap((issue) =>
      describeIssue(issue, tree).map(({ at, problem }) => `${whereIs(at)}${problem}`),
    ),
  );
}

function isKey(part: string): boolean {
  return !/^\d+$/.test(part);
}
