// Reads the filters of a policy: until=..., label=..., label!=... and dangling=....
import { type LabelFilter, parseLabelFilter } from "../decide/label-filter.ts";
import { parseUntil, untilForm } from "./until.ts";

/** What is wrong with one filter, or with all of them together (no index). */
export interface FilterProblem {
  readonly index?: number;
  readonly message: string;
}

export interface Filters {
  readonly until: readonly number[];
  readonly labels: readonly LabelFilter[];
  /** Undefined when no filter says so. */
  readonly danglingOnly: boolean | undefined;
  readonly problems: readonly FilterProblem[];
}

type Parsed =
  | { readonly until: number }
  | { readonly label: LabelFilter }
  | { readonly dangling: boolean }
  | { readonly problem: string };

/** Reads all filters at the moment `now`; whatever is wrong is listed, and nothing is thrown. */
export function readFilters(texts: readonly string[], now: number): Filters {
  const parsed = texts.map((text) => parseFilter(text, now));
  const wanted = new Set(parsed.flatMap((one) => ("dangling" in one ? [one.dangling] : [])));
  const problems: FilterProblem[] = parsed.flatMap((one, index) =>
    "problem" in one ? [{ index, message: one.problem }] : [],
  );
  if (wanted.size > 1) problems.push({ message: "filter dangling is given both as true and as false: give it once" });
  return {
    until: parsed.flatMap((one) => ("until" in one ? [one.until] : [])),
    labels: parsed.flatMap((one) => ("label" in one ? [one.label] : [])),
    danglingOnly: [...wanted][0],
    problems,
  };
}

function parseFilter(text: string, now: number): Parsed {
  const match = /^(label!|[^=!]+)=(.*)$/s.exec(text);
  if (match === null) return { problem: notAFilter(text) };
  const [, key = "", value = ""] = match;
  switch (key) {
    case "until": {
      const until = parseUntil(value, now);
      return until === undefined ? { problem: `filter until=${value} names no moment: write ${untilForm}` } : { until };
    }
    case "label":
    case "label!": {
      const label = parseLabelFilter(value, key === "label!");
      return label === undefined
        ? { problem: `filter ${key}=${value} names no label: write ${key}=key or ${key}=key=value` }
        : { label };
    }
    case "dangling":
      return parseDangling(value);
    default:
      return { problem: notAFilter(key) };
  }
}

function parseDangling(value: string): Parsed {
  if (value === "true" || value === "1") return { dangling: true };
  if (value === "false" || value === "0") return { dangling: false };
  return { problem: `filter dangling=${value} is neither true nor false: write dangling=true or dangling=false` };
}

function notAFilter(text: string): string {
  return `unknown filter ${JSON.stringify(text)}: use until=..., label=..., label!=... or dangling=true|false`;
}
