// The places that settings come from, one above the other: defaults, file, environment, flags.
import { readFileSync } from "node:fs";
import { parse as parseYaml } from "yaml";
import { ConfigError } from "./config-error.ts";
import { environmentName, type Setting, settings } from "./settings.ts";
import { isTree, newTree, setPath, type Tree } from "./tree.ts";

/** Where a value comes from; of a pool of nodes with its name. */
export type Origin = "default" | "file" | "environment" | "flag" | `node pool ${string}`;

/** What one place says. */
export interface Layer {
  readonly origin: Origin;
  readonly tree: Tree;
}

export interface ConfigSources {
  /** Path of a YAML file, or undefined. */
  readonly file: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Values of flags, in the shape of the file. Undefined values are ignored. */
  readonly flags: Tree;
  /** Values that replace the schema's own defaults; file, environment and flags win over them. */
  readonly defaults?: Tree;
}

/** Reads every place, the weakest first. Throws `ConfigError` when the file cannot be read or is no YAML. */
export function readLayers({ file, env, flags, defaults = {} }: ConfigSources): readonly Layer[] {
  return [
    { origin: "default", tree: defaults },
    { origin: "file", tree: file === undefined ? {} : parseConfigText(readConfigFile(file), file) },
    { origin: "environment", tree: fromEnvironment(env) },
    { origin: "flag", tree: flags },
  ];
}

/** The text of a configuration file. Throws `ConfigError`. */
export function readConfigFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new ConfigError([`cannot read the configuration ${file}: ${whyUnread(error)}; check --config`]);
  }
}

const obstacles: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EISDIR: "it is a directory",
  EACCES: "permission denied",
};

function whyUnread(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return obstacles[code] ?? messageOf(error);
}

function parseConfigText(text: string, file: string): Tree {
  let tree: unknown;
  try {
    tree = parseYaml(text);
  } catch (error) {
    throw new ConfigError([`${file} is not valid YAML: ${messageOf(error).split("\n", 1)[0]?.replace(/:$/, "")}`]);
  }
  if (tree === null || tree === undefined) return {};
  if (holdsItself(tree)) throw new ConfigError([`${file} has an alias inside of what it stands for: write it out`]);
  if (isTree(tree)) return tree;
  throw new ConfigError([`${file} holds ${describe(tree)}: expected keys and values`]);
}

/** YAML allows `a: &x {b: *x}`, which has no end: whoever walks over it would never come back. */
function holdsItself(value: unknown, above: readonly unknown[] = []): boolean {
  if (typeof value !== "object" || value === null) return false;
  return above.includes(value) || Object.values(value).some((one) => holdsItself(one, [...above, value]));
}

/** `policy.unusedFor` is `PRUNELET_POLICY_UNUSED_FOR`; lists are separated by commas. */
function fromEnvironment(env: ConfigSources["env"]): Tree {
  const tree = newTree();
  // To list the settings takes some milliseconds, and most commands are typed without any.
  if (!Object.keys(env).some((name) => name.startsWith("PRUNELET_"))) return tree;
  for (const setting of settings()) {
    if (!setting.flat) continue;
    const text = env[environmentName(setting.path)];
    if (text !== undefined && text !== "") setPath(tree, setting.path, settingFromText(text, setting));
  }
  return tree;
}

/** The value that the text of a variable or a flag stands for. */
export function settingFromText(text: string, { types }: Setting): unknown {
  if (types.has("array")) return text.split(",").map((item) => item.trim());
  if (types.has("boolean") && (text === "true" || text === "false")) return text === "true";
  const number = text.trim() === "" ? Number.NaN : Number(text);
  return (types.has("number") || types.has("integer")) && !Number.isNaN(number) ? number : text;
}

function describe(value: unknown): string {
  return Array.isArray(value) ? "a list" : `${typeof value} ${JSON.stringify(value)?.slice(0, 40)}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
