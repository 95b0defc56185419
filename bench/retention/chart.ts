// The comparison as one SVG picture, readable on light and on dark pages: a panel for each scenario, disk size against bytes pulled again.
import type { Comparison, Setting } from "./compare.ts";
import { gibibytes } from "./units.ts";

const panel = { width: 400, height: 270, left: 52, right: 14, top: 44, bottom: 44 };
const legendHeight = 118;
const columns = 2;
/** GiB at the bottom and the top of the logarithmic axis. What is less lies on the bottom. */
const axis = { from: 0.1, to: 1000 };

interface Line {
  readonly name: string;
  readonly style: string;
  readonly valueAt: (setting: Setting) => number | undefined;
  /** Pods met a full disk: the figure is lower than it should be. */
  readonly fullAt: (setting: Setting) => boolean;
}

/** How the lines look, in the order of the legend. The names are those of the contenders. */
const styles: readonly (readonly [name: string, style: string])[] = [
  ["prunelet, defaults", "own"],
  ["prunelet, pressure only", "own-setting"],
  ["prunelet, superseded sooner, 80/78", "own-best"],
  ["kubelet LRU 85/80", "kubelet"],
  ["kubelet with eviction", "eviction"],
  ["docuum LRU, 70 % for images", "docuum"],
  ["age only, 24 h", "age"],
  ["Belady, up to 80 %", "belady"],
];

const css = `
  text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328 }
  .title { font-size: 14px; font-weight: 600 } .faint { fill: #59636e; font-size: 11px }
  .grid { stroke: #d1d9e0; stroke-width: 1 } .line { fill: none; stroke-width: 2; stroke-linejoin: round }
  .dot { stroke: none } .full { fill: none; stroke-width: 2 }
  .own { stroke: #0550ae; fill: #0550ae; stroke-width: 3.5 } .own-setting { stroke: #218bff; fill: #218bff; stroke-width: 3 }
  .own-best { stroke: #218bff; fill: #218bff; stroke-width: 3; stroke-dasharray: 9 4 }
  .kubelet { stroke: #bc4c00; fill: #bc4c00 } .eviction { stroke: #bc4c00; fill: #bc4c00; stroke-dasharray: 7 4 }
  .docuum { stroke: #1a7f37; fill: #1a7f37 } .age { stroke: #8250df; fill: #8250df; stroke-dasharray: 2 4 }
  .belady { stroke: #59636e; fill: #59636e; stroke-dasharray: 10 3 2 3 } .bound { stroke: #59636e; fill: #59636e; stroke-dasharray: 1 3 }
  .line { fill: none } .mark { stroke-dasharray: none; stroke-width: 1.5 } .full { fill: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .faint { fill: #9198a1 } .grid { stroke: #3d444d }
    .own { stroke: #a5d6ff; fill: #a5d6ff } .own-setting, .own-best { stroke: #388bfd; fill: #388bfd }
    .kubelet, .eviction { stroke: #f0883e; fill: #f0883e } .docuum { stroke: #3fb950; fill: #3fb950 }
    .age { stroke: #bc8cff; fill: #bc8cff } .belady, .bound { stroke: #9198a1; fill: #9198a1 }
    .line, .full { fill: none }
  }`;

/** The whole picture. */
export function chartOf(comparison: Comparison): string {
  const lines = linesOf(comparison);
  const { scenarios } = comparison.grid;
  const width = columns * panel.width;
  const height = legendHeight + Math.ceil(scenarios.length / columns) * panel.height;
  const panels = scenarios.map((scenario, i) => {
    const settings = comparison.settings.filter((setting) => setting.scenario.name === scenario.name);
    const place = `translate(${(i % columns) * panel.width} ${legendHeight + Math.floor(i / columns) * panel.height})`;
    return `<g transform="${place}">${panelOf(`${scenario.name}: ${scenario.title}`, settings, lines)}</g>`;
  });
  const label = "GiB pulled again in four weeks against the size of the disk, by policy";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${label}">`,
    `<style>${css}\n</style>`,
    legendOf(lines),
    ...panels,
    "</svg>\n",
  ].join("\n");
}

function linesOf({ grid }: Comparison): readonly Line[] {
  const lines = styles.flatMap(([name, style]): Line[] => {
    const contender = grid.contenders.find(({ policy }) => policy.name === name);
    if (contender === undefined) return [];
    const costAt = ({ cells }: Setting) => cells.find((cell) => cell.contender === contender)?.cost;
    const valueAt = (setting: Setting) => costAt(setting)?.againBytes;
    return [{ name, style, valueAt, fullAt: (setting) => (costAt(setting)?.neverRan ?? 0) > 0 }];
  });
  const bound = ({ leastAgainBytes }: Setting): number => leastAgainBytes;
  return [...lines, { name: "lower bound", style: "bound", valueAt: bound, fullAt: () => false }];
}

function legendOf(lines: readonly Line[]): string {
  const entries = lines.map(({ name, style }, i) => {
    const [x, y] = [16 + (i % 3) * 262, 42 + Math.floor(i / 3) * 20];
    return `<path class="line ${style}" d="M${x} ${y - 4}h30"/><text x="${x + 37}" y="${y}">${escaped(name)}</text>`;
  });
  return [
    '<text class="title" x="16" y="20">GiB pulled again in four weeks, by size of the disk (less is better)</text>',
    ...entries,
    '<text class="faint" x="16" y="106">Logarithmic; 0.1 and less at the bottom. Ring: pods never ran for want of space, so less was pulled.</text>',
  ].join("\n");
}

function panelOf(title: string, settings: readonly Setting[], lines: readonly Line[]): string {
  const sizes = settings.map(({ size }) => size);
  return [
    `<text class="title" x="${panel.left}" y="28">${escaped(title)}</text>`,
    ...[0.1, 1, 10, 100, 1000].map((value) => {
      const y = heightOf(value);
      const end = panel.width - panel.right;
      const text = `<text class="faint" text-anchor="end" x="${panel.left - 7}" y="${y + 4}">${value}</text>`;
      return `<path class="grid" d="M${panel.left} ${y}H${end}"/>${text}`;
    }),
    ...sizes.map((size) => {
      const at = `x="${placeOf(size, sizes)}" y="${panel.height - panel.bottom + 18}"`;
      return `<text class="faint" text-anchor="middle" ${at}>${size} GiB</text>`;
    }),
    ...lines.toReversed().map((line) => drawLine(line, settings)),
  ].join("\n");
}

function drawLine({ style, valueAt, fullAt }: Line, settings: readonly Setting[]): string {
  const sizes = settings.map(({ size }) => size);
  const points = settings.flatMap((setting) => {
    const bytes = valueAt(setting);
    return bytes === undefined
      ? []
      : [{ x: placeOf(setting.size, sizes), y: heightOf(bytes / gibibytes), full: fullAt(setting) }];
  });
  const path = points.map(({ x, y }, i) => `${i === 0 ? "M" : "L"}${x} ${y}`).join("");
  const dots = points.map(({ x, y, full }) =>
    full
      ? `<circle class="mark full ${style}" style="fill:none" cx="${x}" cy="${y}" r="6"/>`
      : `<circle class="dot mark ${style}" cx="${x}" cy="${y}" r="2.5"/>`,
  );
  return `<path class="line ${style}" d="${path}"/>${dots.join("")}`;
}

/** Disk sizes stand on a logarithmic axis, too. */
function placeOf(size: number, sizes: readonly number[]): number {
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const share = least === most ? 0.5 : Math.log(size / least) / Math.log(most / least);
  const [from, to] = [panel.left + 22, panel.width - panel.right - 22];
  return round(from + share * (to - from));
}

function heightOf(value: number): number {
  const inside = Math.min(axis.to, Math.max(axis.from, value));
  const share = Math.log(inside / axis.from) / Math.log(axis.to / axis.from);
  const [bottom, top] = [panel.height - panel.bottom, panel.top];
  return round(bottom - share * (bottom - top));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
