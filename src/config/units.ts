// Durations and sizes as people write them: 90s, 10m, 24h, 7d; 500Mi, 20Gi, 85%.

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** What a duration may look like, for error messages. */
export const durationForm = "a duration such as 90s, 10m, 24h, 7d or 1h30m";

/** Milliseconds, or undefined when the text is no duration. Parts add up: `1h30m`. `0` needs no unit. */
export function parseDuration(text: string): number | undefined {
  if (text === "0") return 0;
  if (!/^(\d+(\.\d+)?(ms|[smhdw]))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, value, , unit] of text.matchAll(/(\d+(\.\d+)?)(ms|[smhdw])/g)) {
    total += Number(value) * (durationUnits[unit as string] as number);
  }
  return Number.isSafeInteger(Math.round(total)) ? Math.round(total) : undefined;
}
