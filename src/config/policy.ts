// From the policy section of the configuration to the policy that decisions are made by.
import { InvalidKeepPatternError, parseKeepPattern } from "../decide/keep-pattern.ts";
import { type LabelFilter, parseLabelFilter } from "../decide/label-filter.ts";
import type { Policy } from "../decide/policy.ts";
import { ConfigError } from "./config-error.ts";
import type { Config } from "./schema.ts";
import { parseUntil, untilForm } from "./until.ts";

/** The policy of a configuration at the moment `now`. Throws `ConfigError` with every pattern and filter that is wrong. */
export function toPolicy(config: Config["policy"], now: number): Policy {
  const problems: string[] = [];
  const filters = readFilters(config.filters, now, problems);
  const keep = config.keep.flatMap((text) => {
    try {
      return [parseKeepPattern(text)];
    } catch (error) {
      if (!(error instanceof InvalidKeepPatternError)) throw error;
      problems.push(error.message);
      return [];
    }
  });
  if (problems.length > 0) throw new ConfigError(problems);
  const { unusedFor, minAge } = config;
  const danglingOnly = filters.danglingOnly ?? config.danglingOnly;
  return { semantics: "strict", danglingOnly, unusedFor, minAge, keep, until: filters.until, labels: filters.labels };
}

interface Filters {
  readonly until: number[];
  readonly labels: LabelFilter[];
  danglingOnly?: boolean;
}

function readFilters(texts: readonly string[], now: number, problems: string[]): Filters {
  const filters: Filters = { until: [], labels: [] };
  for (const text of texts) {
    const match = /^(label!|[^=!]+)=(.*)$/s.exec(text);
    const problem =
      match === null ? notAFilter(text) : readFilter(match[1] as string, match[2] as string, now, filters);
    if (problem !== undefined) problems.push(problem);
  }
  return filters;
}

function readFilter(key: string, value: string, now: number, filters: Filters): string | undefined {
  switch (key) {
    case "until": {
      const until = parseUntil(value, now);
      if (until === undefined) return `filter until=${value} names no moment: write ${untilForm}`;
      filters.until.push(until);
      return undefined;
    }
    case "label":
    case "label!": {
      const label = parseLabelFilter(value, key === "label!");
      if (label === undefined) return `filter ${key}=${value} names no label: write ${key}=key or ${key}=key=value`;
      filters.labels.push(label);
      return undefined;
    }
    case "dangling":
      return readDangling(value, filters);
    default:
      return notAFilter(key);
  }
}

function readDangling(value: string, filters: Filters): string | undefined {
  const wanted = new Map([
    ["true", true],
    ["1", true],
    ["false", false],
    ["0", false],
  ]).get(value);
  if (wanted === undefined)
    return `filter dangling=${value} is neither true nor false: write dangling=true or dangling=false`;
  if (filters.danglingOnly !== undefined && filters.danglingOnly !== wanted) {
    return "filter dangling is given both as true and as false: give it once";
  }
  filters.danglingOnly = wanted;
  return undefined;
}

function notAFilter(text: string): string {
  return `unknown filter ${JSON.stringify(text)}: use until=..., label=..., label!=... or dangling=true|false`;
}
