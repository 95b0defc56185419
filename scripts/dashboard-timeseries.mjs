// Draws one time series panel as SVG: lines, stacked areas or stacked bars, with axes and a legend.
import { colors, escapeHtml, formatValue, palette } from "./dashboard-values.mjs";

const margin = { left: 62, right: 6, top: 6, bottom: 42 };

/** `lines` are `{ name, values: [[seconds, number]], step }`; the box is `{ width, height, start, end }`. */
export function drawTimeseries(panel, lines, box) {
  const { defaults } = panel.fieldConfig;
  const bars = defaults.custom.drawStyle === "bars";
  const drawn = stack(colored(panel, lines), defaults.custom.stacking?.mode === "normal");
  const scale = scaleOf(drawn, defaults, box);
  // The lowest of a stack is drawn last, over the others.
  const shapes = drawn.map((line) => (bars ? drawBars(line, scale) : drawLine(line, scale))).reverse();
  return `<svg width="${box.width}" height="${box.height}">${drawAxes(scale, defaults, box)}
${drawLimit(defaults, scale)}${shapes.join("\n")}${drawLegend(drawn, box)}</svg>`;
}

function colored({ fieldConfig }, lines) {
  const own = new Map(
    fieldConfig.overrides.map(({ matcher, properties }) => [
      matcher.options,
      properties.find(({ id }) => id === "color")?.value.fixedColor,
    ]),
  );
  return lines.map((line, index) => ({
    ...line,
    color: colors[own.get(line.name)] ?? palette[index % palette.length],
  }));
}

/** Gives every point a floor: zero, or the top of the series below it. */
function stack(lines, stacked) {
  const tops = new Map();
  return lines.map((line) => {
    const points = line.values
      .filter(([, value]) => Number.isFinite(value))
      .map(([time, value]) => {
        const floor = stacked ? (tops.get(time) ?? 0) : 0;
        tops.set(time, floor + value);
        return { time, floor, top: floor + value };
      });
    return { ...line, points, stacked };
  });
}

function scaleOf(lines, { max }, { width, height, start, end }) {
  const highest = Math.max(0, ...lines.flatMap(({ points }) => points.map(({ top }) => top)));
  const { step, count } = ticks(max ?? highest);
  const top = max ?? step * count;
  const inner = { width: width - margin.left - margin.right, height: height - margin.top - margin.bottom };
  return {
    x: (time) => margin.left + ((time - start) / (end - start)) * inner.width,
    y: (value) => margin.top + inner.height * (1 - value / (top || 1)),
    perSecond: inner.width / (end - start),
    values: Array.from({ length: count + 1 }, (_, index) => index * step),
  };
}

/** Steps of 1, 2, 2.5 or 5 times a power of ten (of two for large numbers, which are bytes) that make three to five lines. */
function ticks(highest) {
  if (highest <= 0) return { step: 1, count: 1 };
  const unit = highest >= 1 << 20 ? 1024 ** Math.floor(Math.log2(highest) / 10) : 1;
  const rough = highest / unit / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((one) => one >= rough) * unit;
  return { step, count: Math.ceil(highest / step - 1e-9) };
}

function drawAxes(scale, defaults, { width, height, start, end }) {
  const horizontal = scale.values.map((value) => {
    const y = scale.y(value).toFixed(1);
    return `<line x1="${margin.left}" x2="${width - margin.right}" y1="${y}" y2="${y}" stroke="${colors.line}"/>
<text x="${margin.left - 8}" y="${Number(y) + 3.5}" text-anchor="end">${formatValue(value, { unit: defaults.unit })}</text>`;
  });
  const minutes = Math.max(1, Math.round((end - start) / 60 / (width > 500 ? 5 : 3)));
  const first = Math.ceil(start / 60) * 60;
  const times = Array.from(
    { length: Math.ceil((end - first) / 60 / minutes) },
    (_, index) => first + index * minutes * 60,
  );
  const vertical = times
    .filter((time) => scale.x(time) > margin.left + 12 && scale.x(time) < width - 18)
    .map((time) => {
      const label = new Date(time * 1000).toISOString().slice(11, 16);
      return `<text x="${scale.x(time).toFixed(1)}" y="${height - margin.bottom + 15}" text-anchor="middle">${label}</text>`;
    });
  return [...horizontal, ...vertical].join("\n");
}

/** The dashed line of a threshold. */
function drawLimit({ thresholds, custom }, scale) {
  const limits = custom.thresholdsStyle === undefined ? [] : thresholds.steps.filter(({ value }) => value !== null);
  const [from, to] = [margin.left, "100%"];
  return limits
    .map(({ value, color }) => {
      const y = scale.y(value).toFixed(1);
      return `<line x1="${from}" x2="${to}" y1="${y}" y2="${y}" stroke="${colors[color]}" stroke-dasharray="6 5"/>`;
    })
    .join("");
}

function drawLine({ points, color, stacked }, scale) {
  if (points.length === 0) return "";
  const at = (time, value) => `${scale.x(time).toFixed(1)},${scale.y(value).toFixed(1)}`;
  const line = points.map(({ time, top }) => at(time, top)).join(" ");
  const floor = points
    .toReversed()
    .map(({ time, floor }) => at(time, floor))
    .join(" ");
  return `<polygon points="${line} ${floor}" fill="${color}" fill-opacity="${stacked ? 0.55 : 0.05}"/>
<polyline points="${line}" fill="none" stroke="${color}" stroke-width="1.4"/>`;
}

function drawBars({ points, color, step }, scale) {
  const width = Math.max(1, step * scale.perSecond * 0.7);
  return points
    .filter(({ floor, top }) => top > floor)
    .map(({ time, floor, top }) => {
      const [x, y] = [scale.x(time) - width, scale.y(top)].map((one) => one.toFixed(1));
      const height = (scale.y(floor) - scale.y(top)).toFixed(1);
      return `<rect x="${x}" y="${y}" width="${width.toFixed(1)}" height="${height}" fill="${color}" fill-opacity="0.75"/>`;
    })
    .join("");
}

function drawLegend(lines, { height }) {
  let x = margin.left - 30;
  return lines
    .map(({ name, color }) => {
      const at = x;
      x += 34 + name.length * 6.6;
      return `<rect x="${at}" y="${height - 9}" width="14" height="4" rx="2" fill="${color}"/>
<text x="${at + 19}" y="${height - 3}">${escapeHtml(name)}</text>`;
    })
    .join("");
}
