// The JSON that runtimes put into the `info` of verbose answers. It is nobody's interface: whatever is not as expected is not there.

export type JsonObject = Readonly<Record<string, unknown>>;

/** The object that a text holds; undefined when it holds something else. */
export function readObject(text: string | undefined): JsonObject | undefined {
  if (text === undefined) return undefined;
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export function objectIn(object: JsonObject | undefined, key: string): JsonObject | undefined {
  return asObject(object?.[key]);
}

export function textIn(object: JsonObject | undefined, key: string): string | undefined {
  const value = object?.[key];
  return typeof value === "string" ? value : undefined;
}

/** The texts of a map; empty where there is none. */
export function stringMapIn(object: JsonObject | undefined, key: string): Readonly<Record<string, string>> {
  const entries = Object.entries(objectIn(object, key) ?? {});
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

function asObject(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}
