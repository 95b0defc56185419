// The filters of `images`, with the meaning that they have in `docker images`.
import { ConfigError } from "../config/config-error.ts";
import { createImageFinder } from "../decide/find-image.ts";
import { type LabelFilter, matchesLabel, parseLabelFilter } from "../decide/label-filter.ts";
import type { NodeState } from "../image/node-state.ts";
import { familiarName } from "../image/reference.ts";
import { CommandError } from "./exit.ts";
import type { ImageRowSource } from "./image-rows.ts";
import { explainMissing } from "./missing-image.ts";

type RowFilter = (row: ImageRowSource) => boolean;

/** Filters as they were typed, read but not yet asked of a node. */
export interface ImageFilters {
  readonly dangling: boolean | undefined;
  readonly labels: readonly LabelFilter[];
  readonly references: readonly RegExp[];
  readonly before: readonly string[];
  readonly since: readonly string[];
}

/** Reads `--filter` values and the repository given as argument. Throws `ConfigError` with everything that is wrong. */
export function readImageFilters(texts: readonly string[], repository: string | undefined): ImageFilters {
  const read = { dangling: [] as boolean[], labels: [], references: [], before: [], since: [] } satisfies Reading;
  const problems = texts.flatMap((text) => readFilter(text, read) ?? []);
  if (new Set(read.dangling).size > 1)
    problems.push("filter dangling is given both as true and as false: give it once");
  if (repository !== undefined) problems.push(...[readPattern(repository, read.references) ?? []].flat());
  if (problems.length > 0) throw new ConfigError(problems);
  return { ...read, dangling: read.dangling[0] };
}

interface Reading {
  readonly dangling: boolean[];
  readonly labels: LabelFilter[];
  readonly references: RegExp[];
  readonly before: string[];
  readonly since: string[];
}

const usage = "use dangling=true|false, label=..., label!=..., reference=..., before=... or since=...";

function readFilter(text: string, into: Reading): string | undefined {
  const [, key = "", value = ""] = /^(label!|[^=!]+)=(.+)$/s.exec(text) ?? [];
  switch (key) {
    case "dangling": {
      if (!["true", "1", "false", "0"].includes(value)) return `filter ${text} is neither true nor false`;
      into.dangling.push(value === "true" || value === "1");
      return undefined;
    }
    case "label":
    case "label!": {
      const label = parseLabelFilter(value, key === "label!");
      if (label === undefined) return `filter ${text} names no label: write ${key}=key or ${key}=key=value`;
      into.labels.push(label);
      return undefined;
    }
    case "reference":
      return readPattern(value, into.references);
    case "before":
    case "since":
      into[key].push(value);
      return undefined;
    default:
      return `unknown filter ${JSON.stringify(text)}: ${usage}`;
  }
}

function readPattern(text: string, into: RegExp[]): string | undefined {
  try {
    into.push(patternOf(text));
    return undefined;
  } catch {
    return `reference pattern ${JSON.stringify(text)} is none: a range in brackets goes from the lower to the higher character`;
  }
}

/** What of the rows passes. Throws `CommandError` when `before` or `since` names no image. */
export function filterImages(
  rows: readonly ImageRowSource[],
  filters: ImageFilters,
  state: Pick<NodeState, "namespaces">,
): ImageRowSource[] {
  const { dangling, labels, references, before, since } = filters;
  const older = before.map((text) => builtAt(text, state));
  const younger = since.map((text) => builtAt(text, state));
  const conditions: RowFilter[] = [
    ({ reference }) => dangling === undefined || dangling === (reference === undefined),
    ({ image }) => labels.every((filter) => matchesLabel(filter, image.labels ?? {})),
    ({ reference }) => references.length === 0 || references.some((pattern) => matchesReference(pattern, reference)),
    ({ image }) => older.every((moment) => image.createdAt !== undefined && image.createdAt < moment),
    ({ image }) => younger.every((moment) => image.createdAt !== undefined && image.createdAt > moment),
  ];
  return rows.filter((row) => conditions.every((holds) => holds(row)));
}

function builtAt(text: string, state: Pick<NodeState, "namespaces">): number {
  const search = createImageFinder(state)(text);
  if (search.kind !== "found") throw new CommandError(explainMissing(search, text, state));
  const moments = search.images.flatMap(({ entry: { image } }) => image.createdAt ?? []);
  const [moment] = moments;
  if (moment === undefined) throw new CommandError(`nobody knows when ${text} was built: choose another image`);
  return moment;
}

/** Docker matches a pattern against the whole familiar name, and against the repository alone. */
function matchesReference(pattern: RegExp, reference: ImageRowSource["reference"]): boolean {
  if (reference === undefined) return false;
  const { domain, path } = reference;
  return pattern.test(familiarName(reference)) || pattern.test(familiarName({ domain, path }));
}

/** A shell pattern: `*` and `?` stay within a path component, `[...]` is one character. */
function patternOf(text: string): RegExp {
  const source = text.replaceAll(
    /\[(\^?)([^\]]*)\]|\\?[\s\S]/g,
    (part, not: string | undefined, set: string | undefined) => {
      if (set !== undefined && set !== "") return `[${not ?? ""}${set.replaceAll(/[\\[]/g, "\\$&")}]`;
      if (part === "*") return "[^/]*";
      if (part === "?") return "[^/]";
      return escaped(part.length === 2 && part.startsWith("\\") ? part.slice(1) : part);
    },
  );
  return new RegExp(`^(?:${source})$`, "u");
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
