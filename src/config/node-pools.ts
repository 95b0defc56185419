// Which pool of nodes a node belongs to, by its labels.
import type { Config } from "./schema.ts";

/** Labels of a node. */
export type Labels = Readonly<Record<string, string>>;

export type NodePool = Config["nodePools"][number];

/** The first pool whose labels are all there; undefined when none matches. */
export function findNodePool(pools: readonly NodePool[], labels: Labels): NodePool | undefined {
  return pools.find(({ match }) => Object.entries(match).every(([key, wanted]) => isWanted(labels, key, wanted)));
}

function isWanted(labels: Labels, key: string, wanted: string | readonly string[]): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  if (value === undefined) return false;
  return wanted === "*" || (typeof wanted === "string" ? value === wanted : wanted.includes(value));
}
