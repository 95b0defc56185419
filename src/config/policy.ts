// From the policy section of the configuration to the policy that decisions are made by.
import { InvalidKeepPatternError, type KeepPattern, parseKeepPattern } from "../decide/keep-pattern.ts";
import type { Policy } from "../decide/policy.ts";
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
  return { semantics: "strict", danglingOnly, unusedFor, minAge, keep, until: filters.until, labels: filters.labels };
}

function readPattern(text: string, problems: string[]): KeepPattern[] {
  try {
    return [parseKeepPattern(text)];
  } catch (error) {
    if (!(error instanceof InvalidKeepPatternError)) throw error;
    problems.push(error.message);
    return [];
  }
}
