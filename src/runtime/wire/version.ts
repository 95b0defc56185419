// The daemon's version, however a distribution spells it.

/** The major version in texts like `v1.6.20`, `1.6.20~ds1` or `2.1.4-k3s1`, with minor; `{0, 0}` when there is none. */
export function parseVersion(text: string): { readonly major: number; readonly minor: number } {
  const match = /(\d+)\.(\d+)/.exec(text);
  return match ? { major: Number(match[1]), minor: Number(match[2]) } : { major: 0, minor: 0 };
}

/** True when `text` is at least version `major.minor`. */
export function isAtLeast(text: string, major: number, minor: number): boolean {
  const version = parseVersion(text);
  return version.major > major || (version.major === major && version.minor >= minor);
}
