// Draws panels of a Grafana dashboard, with the answers to their queries, as one HTML page: enough of Grafana to see how it looks.
import { legendOf } from "../test/monitoring/dashboard.ts";
import { drawTimeseries } from "./dashboard-timeseries.mjs";
import { colors, escapeHtml, formatValue, thresholdColor } from "./dashboard-values.mjs";

const column = 57;
const row = 36;
const gap = 8;
const head = 58;

/** Pixels of the whole page. */
export function pageSize({ panels }) {
  const rows = Math.max(...panels.map(({ panel: { gridPos } }) => gridPos.y + gridPos.h));
  return { width: 24 * column + gap, height: head + rows * row + 2 * gap };
}

/** The page: `{ dashboard, node, panels: [{ panel, answers }], start, end }`, times in Unix seconds. */
export function pageOf({ dashboard, node, panels, start, end }) {
  return `<!doctype html><meta charset="utf-8"><style>${style}</style>
<header><b>${escapeHtml(dashboard.title)}</b><span>Node <i>${escapeHtml(node)}</i></span>
<span class="right">Last ${Math.round((end - start) / 60)} minutes</span></header>
${panels.map((one) => drawPanel(one, { start, end })).join("\n")}`;
}

const style = `
* { box-sizing: border-box; margin: 0 }
body { background: ${colors.page}; color: ${colors.text}; font: 12px "DejaVu Sans", Inter, sans-serif; position: relative }
header { height: ${head}px; padding: 18px 14px; display: flex; gap: 24px; align-items: center; font-size: 13px }
header b { font-size: 17px; font-weight: 600 } header i { font-style: normal; background: ${colors.panel}; border: 1px solid ${colors.line}; padding: 4px 10px; border-radius: 3px; margin-left: 6px }
.right { margin-left: auto; color: ${colors.faint} }
section { position: absolute; background: ${colors.panel}; border: 1px solid ${colors.line}; border-radius: 3px; padding: 7px 10px; overflow: hidden }
h2 { font-size: 12.5px; font-weight: 600; height: 20px; white-space: nowrap }
.stat { height: calc(100% - 20px); display: flex; align-items: center; justify-content: center; font-weight: 600; white-space: nowrap }
.bars { display: grid; grid-template-columns: max-content 1fr max-content; gap: 7px 10px; align-items: center; padding-top: 10px }
.bars div { height: 17px; background: ${colors.line} } .bars div i { display: block; height: 100% }
.bars b { text-align: right; font-weight: 600 }
table { width: 100%; border-collapse: collapse; margin-top: 6px } th { text-align: left; color: ${colors.link}; font-weight: 500 }
th, td { padding: 9px 8px; border-bottom: 1px solid ${colors.line} } td:first-child { color: ${colors.link} }
.gauge { display: inline-block; width: 130px; height: 12px; background: ${colors.line}; margin-right: 8px; vertical-align: middle }
.gauge i { display: block; height: 100% }
svg { display: block } svg text { fill: ${colors.faint}; font-size: 10.5px }
`;

const drawers = { stat: drawStat, timeseries: drawSeries, bargauge: drawBars, table: drawTable };

function drawPanel({ panel, answers }, range) {
  const { x, y, w, h } = panel.gridPos;
  const box = { width: w * column - gap, height: h * row - gap };
  const place = `left:${gap + x * column}px;top:${head + y * row}px;width:${box.width}px;height:${box.height}px`;
  const inner = { width: box.width - 22, height: box.height - 36, ...range };
  return `<section style="${place}"><h2>${escapeHtml(panel.title)}</h2>${drawers[panel.type](panel, answers, inner)}</section>`;
}

function drawStat(panel, [{ target, series }], { width }) {
  const [first] = series;
  if (first === undefined) return '<div class="stat">No data</div>';
  const value = first.values.at(-1)[1];
  const named = target.legendFormat === "__auto" ? undefined : legendOf(target.legendFormat, first.labels);
  const { text, color } = mapped(panel, value) ?? {
    text: named ?? formatValue(value, panel.fieldConfig.defaults),
    color: thresholdColor(value, panel.fieldConfig.defaults.thresholds),
  };
  const size = Math.min(34, Math.floor(width / (0.68 * text.length)));
  return `<div class="stat" style="color:${color};font-size:${size}px">${escapeHtml(text)}</div>`;
}

function mapped({ fieldConfig }, value) {
  for (const { options } of fieldConfig.defaults.mappings) {
    const found = options[String(value)];
    if (found !== undefined) return { text: found.text, color: colors[found.color] };
  }
  return undefined;
}

function drawSeries(panel, answers, box) {
  const lines = answers.flatMap(({ target, series, step }) =>
    series.map(({ labels, values }) => ({ name: legendOf(target.legendFormat, labels), values, step })),
  );
  return drawTimeseries(panel, lines, box);
}

function drawBars(panel, [{ target, series }]) {
  const found = series
    .map(({ labels, values }) => ({ name: legendOf(target.legendFormat, labels), value: values.at(-1)[1] }))
    .toSorted((a, b) => b.value - a.value);
  const most = Math.max(Number.MIN_VALUE, ...found.map(({ value }) => value));
  const rows = found.map(({ name, value }) => {
    const fill = `width:${(100 * value) / most}%;background:linear-gradient(90deg,${colors.blueDark},${colors.blue})`;
    return `<span>${escapeHtml(name)}</span><div><i style="${fill}"></i></div><b>${formatValue(value, panel.fieldConfig.defaults)}</b>`;
  });
  return `<div class="bars">${rows.join("")}</div>`;
}

function drawTable(panel, answers) {
  const names = panel.transformations.find(({ id }) => id === "organize").options.renameByName;
  const nodes = [...new Set(answers.flatMap(({ series }) => series.map(({ labels }) => labels.node)))].toSorted();
  const columns = answers.map(({ target, series }) => ({
    title: names[`Value #${target.refId}`],
    valueAt: (node) => series.find(({ labels }) => labels.node === node)?.values.at(-1)[1],
  }));
  const header = ["Node", ...columns.map(({ title }) => title)].map((title) => `<th>${title}</th>`);
  const rows = nodes.map((node) => {
    const cells = columns.map(
      ({ title, valueAt }) => `<td>${drawCell(propertiesOf(panel, title), valueAt(node))}</td>`,
    );
    return `<tr><td>${escapeHtml(node)}</td>${cells.join("")}</tr>`;
  });
  return `<table><tr>${header.join("")}</tr>${rows.join("")}</table>`;
}

function propertiesOf({ fieldConfig }, title) {
  const found = fieldConfig.overrides.find(({ matcher }) => matcher.options === title);
  return Object.fromEntries((found?.properties ?? []).map(({ id, value }) => [id, value]));
}

function drawCell(properties, value) {
  const text = formatValue(value, properties);
  if (properties["custom.cellOptions"]?.type !== "gauge") return text;
  const fill = `width:${100 * value}%;background:${thresholdColor(value, properties.thresholds)}`;
  return `<span class="gauge"><i style="${fill}"></i></span>${text}`;
}
