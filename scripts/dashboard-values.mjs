// Colours and number formats of Grafana, as far as prunelet's dashboards use them.

export const colors = {
  page: "#111217",
  panel: "#181b1f",
  line: "#2a2d34",
  text: "#d8d9da",
  faint: "#9a9ca3",
  link: "#6e9fff",
  blueDark: "#1f3f73",
  blue: "#5794f2",
  green: "#73bf69",
  yellow: "#fade2a",
  orange: "#ff9830",
  red: "#f2495c",
  purple: "#b877d9",
};

/** The colours of series that have none of their own, in their order. */
export const palette = ["#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#705da0"];

export function escapeHtml(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** The colour of the last step that the value reaches. */
export function thresholdColor(value, thresholds) {
  const reached = (thresholds?.steps ?? []).filter((step) => step.value === null || value >= step.value);
  return colors[reached.at(-1)?.color] ?? colors.blue;
}

/** A number in its unit, with about three digits. */
export function formatValue(value, { unit, decimals } = {}) {
  if (value === undefined || !Number.isFinite(value)) return "-";
  const format = formats[unit] ?? formats.short;
  return format(value, decimals);
}

const formats = {
  bytes: formatBytes,
  percentunit: (value) => `${digits(100 * value, 1)}%`,
  s: formatSeconds,
  dateTimeFromNow: (value) => `${formatSeconds((Date.now() - value) / 1000)} ago`,
  short: (value, decimals) => (value >= 1e4 ? `${digits(value / 1e3)}K` : digits(value, decimals)),
};

function formatBytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  return `${digits(value / 1024 ** power)} ${units[power]}`;
}

function formatSeconds(value) {
  if (value === 0) return "0 s";
  if (value < 1) return `${digits(value * 1000)} ms`;
  return value < 120 ? `${digits(value)} s` : `${digits(value / 60)} min`;
}

function digits(value, decimals) {
  return String(Number(decimals === undefined ? value.toPrecision(value >= 1000 ? 4 : 3) : value.toFixed(decimals)));
}
