// What is wrong with a setting: the key, what was found there, and what is allowed.
import type * as z from "zod";

/** One problem, and where it stands in the configuration. */
export interface Problem {
  readonly at: readonly PropertyKey[];
  readonly problem: string;
}

/** The problems of one issue of a configuration that was read as `tree`. */
export function describeIssue(issue: z.core.$ZodIssue, tree: unknown): readonly Problem[] {
  const { path } = issue;
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const full = [...path, key].join(".");
      const problem = `unknown key ${full}: remove it or see docs/configuration.md for the keys there are`;
      return { at: [...path, key], problem };
    });
  }
  const key = path.join(".") || "configuration";
  const expected = expectation(issue);
  if (expected === undefined) return [{ at: path, problem: `${key} ${issue.message}` }];
  const found = valueAt(tree, path);
  const what = found === undefined ? "is missing" : `is ${JSON.stringify(found)}`;
  return [{ at: path, problem: `${key} ${what}: expected ${expected}` }];
}

/** Undefined when nothing stands there. Lists are walked as well. */
function valueAt(tree: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    return (value as Readonly<Record<PropertyKey, unknown>>)[key];
  }, tree);
}

const kinds: Readonly<Record<string, string>> = {
  array: "a list",
  boolean: "true or false",
  int: "a whole number",
  number: "a number",
  object: "keys and values",
  record: "keys and values",
  string: "text",
};

/** Undefined when the message says it all, as those of our own do. */
function expectation(issue: z.core.$ZodIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return kinds[issue.expected] ?? issue.expected;
    case "invalid_value":
      return `one of ${issue.values.map(String).join(", ")}`;
    case "too_small":
      return `at least ${issue.minimum}${unitOf(issue.origin)}`;
    case "too_big":
      return `at most ${issue.maximum}${unitOf(issue.origin)}`;
    default:
      return undefined;
  }
}

function unitOf(origin: string): string {
  if (origin === "array" || origin === "set") return " in the list";
  return origin === "string" ? " characters" : "";
}
