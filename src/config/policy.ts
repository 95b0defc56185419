// From the policy section of the configuration to the policy that decisions are made by.
import { type ImagePattern, InvalidPatternError, parsePattern } from "../decide/image-pattern.ts";
import { type Policy, removeAllUnused } from "../decide/policy.ts";
import { ConfigError } from "./config-error.ts";
import { readFilters } from "./filters.ts";
import type { Config } from "./schema.ts";

/** The policy of a configuration at the moment `now`. Throws `ConfigError` with every pattern and filter that is wrong. */
export function toPolicy(config: Config["policy"], now: number): Policy {
  const filters = readFilters(config.filters, now);
  const problems = filters.problems.map(({ message }) => message);
  const keep = config.keep.flatMap((text) => readPattern(text, problems));
  if (problems.length > 0) throw new ConfigError(problems);
  const { unusedFor, minAge } = config;
  const danglingOnly = filters.danglingOnly ?? config.danglingOnly;
  const { until, labels } = filters;
  return { ...removeAllUnused, danglingOnly, unusedFor, minAge, keep, until, labels };
}

function readPattern(text: string, problems: string[]): ImagePattern[] {
  try {
    return [parsePattern(text)];
  } catch (error) {
    if (!(error instanceof InvalidPatternError)) throw error;
    problems.push(error.message);
    return [];
  }
}
