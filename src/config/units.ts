// Durations and sizes as people write them: 90s, 10m, 24h, 7d; 500Mi, 20Gi, 85%.
import type { Watermark } from "../decide/watermarks.ts";

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

/** The shape of a duration. */
export const durationShape: RegExp = /^(0|(\d+(\.\d+)?(ms|[smhdw]))+)$/;

/** Milliseconds, or undefined when the text is no duration. Parts add up: `1h30m`. `0` needs no unit. */
export function parseDuration(text: string): number | undefined {
  if (text === "0") return 0;
  if (!durationShape.test(text)) return undefined;
  let total = 0;
  for (const [, value, , unit] of text.matchAll(/(\d+(\.\d+)?)(ms|[smhdw])/g)) {
    total += Number(value) * (durationUnits[unit as string] as number);
  }
  return Number.isSafeInteger(Math.round(total)) ? Math.round(total) : undefined;
}

const sizeUnits: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
};

/** The shape of a size. */
export const sizeShape: RegExp = /^\d+(\.\d+)? ?([kKmMgGtT][iI]?)?[bB]?$/;

/** What a size may look like, for error messages. */
export const sizeForm = "a size such as 500Mi, 20Gi, 50MiB or 1000000 (bytes)";

/** Bytes, or undefined when the text is no size. `Ki`, `Mi`, `Gi` and `Ti` are powers of 1024, `k`, `M`, `G` and `T` of 1000. */
export function parseSize(text: string): number | undefined {
  const match = sizeShape.test(text) ? /^([\d.]+) ?([kmgt]i?)?/i.exec(text) : null;
  if (match === null) return undefined;
  const bytes = Math.round(Number(match[1]) * (sizeUnits[(match[2] ?? "").toLowerCase()] as number));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** What a rate may look like, for error messages. */
export const rateForm = "a rate such as 50MiB/s or 500Ki/s, more than 0";

/** Bytes a second, or undefined when the text is no rate. `/s` may be left out. */
export function parseRate(text: string): number | undefined {
  const bytes = parseSize(text.replace(/\/s$/, ""));
  return bytes === undefined || bytes === 0 ? undefined : bytes;
}

/** The shape of a share in percent. */
export const shareShape: RegExp = /^(100(\.0+)?|\d{1,2}(\.\d+)?)%$/;

/** What a share may look like, for error messages. */
export const shareForm = "a share such as 10%, or a number from 0 to 1";

/** A number from 0 to 1, or undefined when the text is no share in percent. */
export function parseShare(text: string): number | undefined {
  return shareShape.test(text) ? Number(text.slice(0, -1)) / 100 : undefined;
}

/** The shape of a watermark that is no number: a share in use, or an amount that is free. */
export const watermarkShape: RegExp = /^((100(\.0+)?|\d{1,2}(\.\d+)?)%|\d+(\.\d+)? ?([kKmMgGtT][iI]?)?[bB]?( free)?)$/;

/** What a watermark may look like, for error messages. */
export const watermarkForm = "a share in use such as 80%, or an amount that is free such as 20Gi free";

/** A watermark, or undefined when the text is none: a share of what is there that is used, or an amount that is free. */
export function parseWatermark(text: string): Watermark | undefined {
  const share = parseShare(text);
  if (share !== undefined) return { kind: "used-share", share };
  const amount = watermarkShape.test(text) ? parseSize(text.replace(/ free$/, "")) : undefined;
  return amount === undefined ? undefined : { kind: "free-amount", amount };
}
