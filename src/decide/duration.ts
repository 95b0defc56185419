// Durations in words.

/** A duration as people write it: `45s`, `12m`, `3h`, `2d`. */
export function describeDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (Math.abs(seconds) < 120) return `${seconds}s`;
  const minutes = Math.round(seconds / 60);
  if (Math.abs(minutes) < 120) return `${minutes}m`;
  const hours = Math.round(minutes / 60);
  return Math.abs(hours) < 48 ? `${hours}h` : `${Math.round(hours / 24)}d`;
}
