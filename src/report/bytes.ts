// Bytes as people read them.

const units = ["B", "KiB", "MiB", "GiB", "TiB"];

/** `~1.4 GiB` where the number is approximate. */
export function formatEstimate(bytes: number, approximate: boolean): string {
  return `${approximate ? "~" : ""}${formatBytes(bytes)}`;
}

/** `1.4 GiB`, `512 B`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}
