// From the policy section of the configuration to the policy that decisions are made by.
import { type ImagePattern, InvalidPatternError, parsePattern } from "../decide/image-pattern.ts";
import type { Policy } from "../decide/policy.ts";
import { ConfigError } from "./config-error.ts";
import { readFilters } from "./filters.ts";
import type { Config } from "./schema.ts";

/** The policy of a configuration at the moment `now`. Throws `ConfigError` with every pattern and filter that is wrong. */
export function toPolicy({ policy, safety }: Pick<Config, "policy" | "safety">, now: number): Policy {
  const filters = readFilters(policy.filters, now);
  const problems = filters.problems.map(({ message }) => message);
  const keep = policy.keep.flatMap((text) => readPattern(text, problems));
  const remove = policy.remove.flatMap((text) => readPattern(text, problems));
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    semantics: "strict",
    danglingOnly: filters.danglingOnly ?? policy.danglingOnly,
    unusedFor: policy.unusedFor,
    danglingFor: policy.danglingFor,
    minAge: policy.minAge,
    keepPerRepository: policy.keepPerRepository,
    keep,
    remove,
    until: filters.until,
    labels: filters.labels,
    podNamespaces: policy.podNamespaces,
    maxImageBytes: policy.maxImageBytes,
    order: policy.order,
    brakes: { maxRemovals: safety.maxRemovalsPerRun, maxFraction: safety.maxRemovalFraction },
  };
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
