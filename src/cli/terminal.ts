// What a terminal can show: how wide it is, whether it knows block characters, and whether colours are welcome.

/** A stream that may be a terminal. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** How something is drawn. */
export interface Look {
  /** Characters of a line. */
  readonly width: number;
  readonly unicode: boolean;
  readonly color: boolean;
}

/** The look that fits a terminal; undefined where no person watches. */
export function lookOf(
  { isTTY, columns }: Screen,
  env: Readonly<Record<string, string | undefined>>,
): Look | undefined {
  if (isTTY !== true) return undefined;
  const dumb = env["TERM"] === "dumb";
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
  return {
    width: columns ?? 80,
    // The console of the kernel has no block characters but full ones.
    unicode: !dumb && env["TERM"] !== "linux" && /utf-?8/i.test(locale),
    // https://no-color.org: any value but an empty one.
    color: !dumb && (env["NO_COLOR"] ?? "") === "",
  };
}
