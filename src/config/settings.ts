// Every single setting with its path, default and kind, read off the schema.
import { configJsonSchema } from "./schema.ts";

/** One setting: a key with a value, not a section. */
export interface Setting {
  readonly path: readonly string[];
  /** As people would write it; undefined when there is none. */
  readonly default: unknown;
  readonly description: string;
  /** The JSON types that it takes. */
  readonly types: ReadonlySet<string>;
  /** The only values that it takes, if they are listed. */
  readonly choices: readonly string[] | undefined;
  /** False for what has too much structure to be written in one line: it has no environment variable. */
  readonly flat: boolean;
}

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly string[];
  readonly items?: Schema;
  readonly default?: unknown;
  readonly description?: string;
}

let known: readonly Setting[] | undefined;

/** All settings in the order of the schema. */
export function settings(): readonly Setting[] {
  known ??= leaves(configJsonSchema() as Schema, []);
  return known;
}

/** `policy.unusedFor` is `PRUNELET_POLICY_UNUSED_FOR`. */
export function environmentName(path: readonly string[]): string {
  const words = path.map((key) => key.replaceAll(/([A-Z])/g, "_$1").toUpperCase());
  return `PRUNELET_${words.join("_")}`;
}

function leaves(schema: Schema, path: readonly string[]): Setting[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const here = [...path, key];
    return value.type === "object" ? leaves(value, here) : [toSetting(value, here)];
  });
}

function toSetting(schema: Schema, path: readonly string[]): Setting {
  const kinds = schema.anyOf ?? [schema];
  return {
    path,
    default: schema.default,
    description: schema.description ?? "",
    types: new Set(kinds.flatMap(({ type }) => (type === undefined ? [] : [type]))),
    choices: schema.enum,
    flat: schema.items === undefined || schema.items.type === "string",
  };
}
