// The configuration of a running agent: read again when the file changes, fitted to the node's labels, and kept when the new one is wrong.
import { ConfigError } from "./config-error.ts";
import { type ConfigSources, type Layer, readLayers } from "./layers.ts";
import { type EffectiveConfig, resolveConfig } from "./load.ts";
import type { Labels } from "./node-pools.ts";
import type { Config } from "./schema.ts";

/** What became of a new configuration. */
export type ReloadResult =
  | { readonly kind: "unchanged" }
  | {
      readonly kind: "loaded";
      /** Keys with another value than before, which holds from now on. */
      readonly changed: readonly string[];
      /** Keys whose new value holds only after a restart of the agent. */
      readonly needsRestart: readonly string[];
    }
  /** The configuration before holds on. */
  | { readonly kind: "refused"; readonly problems: readonly string[] };

export interface LiveConfig {
  /** What holds now. */
  current(): EffectiveConfig;
  /** Reads all sources again. Never throws. */
  reload(): ReloadResult;
  /** Fits the configuration to the node's labels; true when another pool holds now. */
  setLabels(labels: Labels): boolean;
}

/** The keys and sections that change while the agent runs. All others need a restart. */
export const liveKeys: readonly string[] = [
  "enabled",
  "interval",
  "jitter",
  "policy",
  "safety",
  "act",
  "pressure",
  "triggers",
  "windows",
  "events",
  "audit",
  "log.level",
  "nodePools",
];

/** Loads the configuration for a node without labels. Throws `ConfigError` with every problem found. */
export function createLiveConfig(sources: ConfigSources): LiveConfig {
  const { file } = sources;
  let layers = readLayers(sources);
  let labels: Labels = {};
  let current = resolveConfig(layers, labels, file);
  let refused = false;
  const atStart = { layers, config: current.config };
  const resolve = (from: readonly Layer[]): EffectiveConfig => {
    const next = resolveConfig(from, labels, file);
    return { ...next, config: keepWhatIsFixed(next.config, atStart.config) };
  };
  return {
    current: () => current,
    reload() {
      try {
        const from = readLayers(sources);
        if (lostEverything(layers, from))
          throw new ConfigError([`${file} is empty now: to go back to all defaults, restart`]);
        const next = resolve(from);
        const changed = differences(current, next).filter(isLive);
        const needsRestart = differences(resolveConfig(atStart.layers, labels, file), next).filter(
          (key) => !isLive(key),
        );
        // After a refusal the return to what holds is news, too.
        const same = !refused && JSON.stringify(layers) === JSON.stringify(from);
        refused = false;
        layers = from;
        current = next;
        return same ? { kind: "unchanged" } : { kind: "loaded", changed, needsRestart };
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        refused = true;
        return { kind: "refused", problems: error.problems };
      }
    },
    setLabels(next) {
      labels = next;
      const before = current.pool;
      current = resolve(layers);
      return current.pool !== before;
    },
  };
}

/** A full disk or an editor may leave a file empty for a moment; nobody means to drop every setting at once. */
function lostEverything(before: readonly Layer[], after: readonly Layer[]): boolean {
  const isEmpty = (layers: readonly Layer[]): boolean =>
    layers.every(({ origin, tree }) => origin !== "file" || Object.keys(tree).length === 0);
  return isEmpty(after) && !isEmpty(before);
}

function isLive(key: string): boolean {
  return liveKeys.some((live) => key === live || key.startsWith(`${live}.`));
}

function keepWhatIsFixed(next: Config, atStart: Config): Config {
  const { enabled, interval, jitter, policy, safety, act, pressure, triggers, windows, events, audit, nodePools } =
    next;
  const log = { ...atStart.log, level: next.log.level };
  const live = {
    enabled,
    interval,
    jitter,
    policy,
    safety,
    act,
    pressure,
    triggers,
    windows,
    events,
    audit,
    nodePools,
    log,
  };
  return { ...atStart, ...live };
}

/** Keys whose values differ. */
function differences(before: EffectiveConfig, after: EffectiveConfig): string[] {
  const written = ({ settings }: EffectiveConfig) =>
    new Map(settings.map(({ path, value }) => [path.join("."), JSON.stringify(value)]));
  const [old, young] = [written(before), written(after)];
  return [...new Set([...old.keys(), ...young.keys()])].filter((key) => old.get(key) !== young.get(key));
}
