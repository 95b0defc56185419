// Configuration before it is checked: nested keys and values, as a file holds them.

export type Tree = Record<string, unknown>;

export function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A tree without a prototype: a key called `__proto__` is a key like any other in it. */
export function newTree(): Tree {
  return Object.create(null) as Tree;
}

/** Puts what `from` says over what is there. Undefined says nothing; lists are replaced as a whole. */
export function merge(into: Tree, from: Tree): void {
  for (const [key, value] of Object.entries(from)) {
    if (value === undefined) continue;
    if (!isTree(value)) {
      into[key] = value;
      continue;
    }
    const there = into[key];
    const node = isTree(there) ? there : newTree();
    into[key] = node;
    merge(node, value);
  }
}

/** Sets the value at a path, making the branches that are missing. */
export function setPath(tree: Tree, path: readonly string[], value: unknown): void {
  let node = tree;
  for (const key of path.slice(0, -1)) {
    node[key] ??= newTree();
    node = node[key] as Tree;
  }
  node[path.at(-1) as string] = value;
}

/** The value at a path; undefined when there is none. */
export function getPath(tree: Tree, path: readonly string[]): unknown {
  let node: unknown = tree;
  for (const key of path) {
    if (!isTree(node) || !Object.hasOwn(node, key)) return undefined;
    node = node[key];
  }
  return node;
}

/** True when the tree says something about the key, or about a part of its value. */
export function hasPath(tree: Tree, path: readonly PropertyKey[]): boolean {
  let node: unknown = tree;
  for (const key of path.map(String)) {
    if (Array.isArray(node)) return true;
    if (!isTree(node) || !Object.hasOwn(node, key) || node[key] === undefined) return false;
    node = node[key];
  }
  return path.length > 0;
}
