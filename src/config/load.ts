// Puts the configuration together: file, then PRUNELET_* environment variables, then flags; later ones win.
import { readFileSync } from "node:fs";
import { parse as parseYaml } from "yaml";
import type * as z from "zod";
import { ConfigError } from "./config-error.ts";
import { type Config, configSchema } from "./schema.ts";

type Tree = Record<string, unknown>;

export interface ConfigSources {
  /** Path of a YAML file, or undefined. */
  readonly file: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Values of flags, in the shape of the file. Undefined values are ignored. */
  readonly flags: Tree;
  /** Values that replace the schema's own defaults; file, environment and flags win over them. */
  readonly defaults?: Tree;
}

/** Loads and checks the configuration. Throws `ConfigError` with every problem found. */
export function loadConfig({ file, env, flags, defaults = {} }: ConfigSources): Config {
  const given = { file: file === undefined ? {} : readConfigFile(file), env: fromEnvironment(env), flags };
  const tree: Tree = newTree();
  for (const source of [defaults, given.file, given.env, given.flags]) merge(tree, source);
  const result = configSchema.safeParse(tree);
  if (result.success) return result.data;
  const whereIs = (path: readonly PropertyKey[]): string => {
    if (hasPath(given.flags, path)) return "";
    if (hasPath(given.env, path)) return `${environmentName(path.map(String).filter(isKey))}: `;
    return file === undefined ? "" : `${file}: `;
  };
  throw new ConfigError(result.error.issues.flatMap((issue) => describeIssue(issue, whereIs)));
}

function isKey(part: string): boolean {
  return !/^\d+$/.test(part);
}

/** True when a source says something about the key, or about a part of its value. */
function hasPath(tree: Tree, path: readonly PropertyKey[]): boolean {
  let node: unknown = tree;
  for (const key of path.map(String)) {
    if (Array.isArray(node)) return true;
    if (!isTree(node) || !Object.hasOwn(node, key) || node[key] === undefined) return false;
    node = node[key];
  }
  return path.length > 0;
}

function readConfigFile(file: string): Tree {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new ConfigError([`cannot read the configuration ${file}: ${messageOf(error)}; check --config`]);
  }
  let tree: unknown;
  try {
    tree = parseYaml(text);
  } catch (error) {
    throw new ConfigError([`${file} is not valid YAML: ${messageOf(error).split("\n", 1)[0]}`]);
  }
  if (tree === null || tree === undefined) return {};
  if (isTree(tree)) return tree;
  throw new ConfigError([`${file} holds ${describe(tree)}: expected keys and values`]);
}

/** `policy.unusedFor` is `PRUNELET_POLICY_UNUSED_FOR`; lists are separated by commas. */
function fromEnvironment(env: ConfigSources["env"]): Tree {
  const tree: Tree = {};
  for (const path of leafPaths()) {
    const text = env[environmentName(path)];
    if (text === undefined || text === "") continue;
    setPath(tree, path, fromText(text, path));
  }
  return tree;
}

/** The environment variable of a configuration key. */
export function environmentName(path: readonly string[]): string {
  const words = path.map((key) => key.replaceAll(/([A-Z])/g, "_$1").toUpperCase());
  return `PRUNELET_${words.join("_")}`;
}

function leafPaths(): string[][] {
  const sections = ["pods", "policy", "act", "http", "log"] as const;
  const defaults: Tree = configSchema.parse({});
  const nested = sections.flatMap((section) => Object.keys(defaults[section] as Tree).map((key) => [section, key]));
  const optional = [["endpoint"], ["pods", "kubeconfig"], ["pods", "nodeName"]];
  const flat = Object.keys(defaults).filter((key) => !sections.some((section) => section === key));
  return [...flat.map((key) => [key]), ...nested, ...optional];
}

const lists = new Set(["namespaces", "keep", "filters"]);
const numbers = new Set(["jitter", "concurrency"]);

function fromText(text: string, path: readonly string[]): unknown {
  const key = path.at(-1) as string;
  if (lists.has(key)) return text.split(",");
  if (numbers.has(key) && text.trim() !== "" && !Number.isNaN(Number(text))) return Number(text);
  if (key === "danglingOnly" && (text === "true" || text === "false")) return text === "true";
  return text;
}

function setPath(tree: Tree, path: readonly string[], value: unknown): void {
  let node = tree;
  for (const key of path.slice(0, -1)) {
    node[key] ??= {};
    node = node[key] as Tree;
  }
  node[path.at(-1) as string] = value;
}

/** A tree without a prototype: a key called `__proto__` is a key like any other in it. */
function newTree(): Tree {
  return Object.create(null) as Tree;
}

function merge(into: Tree, from: Tree): void {
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

function describeIssue(issue: z.core.$ZodIssue, whereIs: (path: readonly PropertyKey[]) => string): string[] {
  const path = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const full = [...issue.path, key].join(".");
      return `${whereIs([...issue.path, key])}unknown key ${full}: remove it or see docs/configuration.md for the keys there are`;
    });
  }
  return [`${whereIs(issue.path)}${path || "configuration"} ${issue.message.replace(/^Invalid/, "is wrong: invalid")}`];
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  return Array.isArray(value) ? "a list" : `${typeof value} ${JSON.stringify(value)?.slice(0, 40)}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
