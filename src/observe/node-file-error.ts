// Why a node file cannot be used, in one line: where, what was found, what is allowed, and the mend.
import type * as z from "zod";

/** Thrown for every node file that cannot be read, understood or written. `message` is one line for people. */
export class NodeFileError extends Error {
  override readonly name = "NodeFileError";
  /** True when the file was to be written after everything else was done. */
  readonly atTheEnd: boolean;

  constructor(message: string, cause?: unknown, { atTheEnd = false }: { readonly atTheEnd?: boolean } = {}) {
    super(oneLine(message), cause === undefined ? undefined : { cause });
    this.atTheEnd = atTheEnd;
  }
}

/** More problems than this are counted, not listed. */
const listedProblems = 5;
const longestExcerpt = 60;

const typeNames: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "an array",
  object: "an object",
  record: "an object",
};

/** What is allowed where a schema does not say so itself. Given to zod as the error map of a parse. */
export function allowedText(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "invalid_type") return typeNames[issue.expected] ?? issue.expected;
  if (issue.code === "invalid_value") return `one of ${issue.values.map(String).join(", ")}`;
  return undefined;
}

/** The problems of a parsed text, as one line. */
export function problemsText(input: unknown, issues: readonly z.core.$ZodIssue[]): string {
  const listed = issues.slice(0, listedProblems).map((issue) => {
    const found = excerpt(valueAt(input, issue.path));
    return `${pathText(issue.path)}: found ${found}, allowed is ${issue.message}`;
  });
  const more = issues.length - listed.length;
  if (more > 0) listed.push(`and ${more} more`);
  return listed.join("; ");
}

function pathText(path: readonly PropertyKey[]): string {
  const text = path.map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`)).join("");
  return text === "" ? "the whole file" : text.replace(/^\./, "");
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const step of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}

function excerpt(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return "an object";
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > longestExcerpt ? `${text.slice(0, longestExcerpt)}...` : text;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
