// Draws the Grafana dashboards into docs/images from real data: agents on the embedded runtime run for some minutes, a real
// Prometheus scrapes them, the queries of the panels are asked, and headless Chromium makes a picture of the answers.
// Run: `node scripts/dashboard-picture.mjs [minutes]`
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "./build.mjs";
import { installPackages, pathOf, requireDebianRoot } from "./debian.mjs";
import { installPrometheus } from "./prometheus-tools.mjs";
import { cacheDir, fail, projectNode, root } from "./setup.mjs";

build();
if (Number(process.versions.node.split(".")[0]) < 24) {
  // The helpers of the tests are TypeScript, which the project's own Node.js runs as it is.
  const again = spawnSync(projectNode, process.argv.slice(1), { stdio: "inherit" });
  process.exit(again.status ?? 1);
}
const { missing } = installPrometheus();
if (missing !== undefined) fail(`the picture needs Prometheus: ${missing}`);
const chromium = findChromium();

const { startAgent } = await import("../test/monitoring/agents.ts");
const { startPrometheus } = await import("../test/monitoring/prometheus.ts");
const { filledIn, readDashboard } = await import("../test/monitoring/dashboard.ts");
const { shrinkPng } = await import("./shrink-png.mjs");
const { pageOf, pageSize } = await import("./dashboard-drawing.mjs");

const minutes = Number(process.argv[2] ?? 5);
const pictures = [
  { dashboard: "fleet", node: ".*", file: "dashboard.png" },
  { dashboard: "node", node: "worker-2", file: "dashboard-node.png" },
];
const running = [];
try {
  const agents = await startAgents();
  const prometheus = await startPrometheus({ targets: agents });
  running.push(prometheus);
  process.stderr.write(`prunelet: watching ${agents.length} agents for ${minutes} minutes ...\n`);
  await sleep(minutes * 60_000);
  for (const picture of pictures) await draw(picture, prometheus);
} finally {
  for (const one of running.reverse()) await one.stop();
}

async function startAgents() {
  const agents = [];
  for (const seed of [2, 3, 11, 19]) {
    const agent = await startAgent({
      node: `worker-${agents.length + 1}`,
      seed,
      timeoutMs: minutes * 60_000 + 180_000,
      env: { PRUNELET_INTERVAL: "5s", PRUNELET_POLICY_UNUSED_FOR: "40s", PRUNELET_POLICY_MIN_AGE: "10s" },
    });
    agents.push(agent);
    running.push(agent);
  }
  return agents;
}

async function draw({ dashboard: name, node, file }, prometheus) {
  const dashboard = readDashboard(name);
  const end = Math.floor(Date.now() / 1000);
  const start = end - minutes * 60;
  const panels = [];
  for (const panel of dashboard.panels) panels.push({ panel, answers: await answersTo(panel) });
  const page = { dashboard, node: node === ".*" ? "All" : node, panels, start, end };
  await takePicture(pageOf(page), pageSize(page), join(root, "docs/images", file));

  /** What the panel's queries answer. Panels with a minimal interval show sums over that interval: here it is short. */
  async function answersTo(panel) {
    const step = panel.interval === undefined ? 2 : 15;
    const variables = { node, rateInterval: panel.interval === undefined ? "20s" : `${step}s`, range: `${minutes}m` };
    const answers = [];
    for (const target of panel.targets) {
      const expression = filledIn(target.expr, variables);
      const series = target.instant
        ? await prometheus.query(expression)
        : await prometheus.queryRange(expression, { start: start + step, end, step });
      answers.push({ target, series, step });
    }
    return answers;
  }
}

async function takePicture(html, { width, height }, target) {
  const folder = join(cacheDir, "picture");
  mkdirSync(folder, { recursive: true });
  mkdirSync(join(root, "docs/images"), { recursive: true });
  writeFileSync(join(folder, "page.html"), html);
  const options = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    `--user-data-dir=${join(folder, "profile")}`,
    `--window-size=${width},${height}`,
    `--screenshot=${target}`,
  ];
  const result = spawnSync(chromium, [...options, `file://${folder}/page.html`], { encoding: "utf8", timeout: 60_000 });
  rmSync(join(folder, "profile"), { recursive: true, force: true });
  if (result.status !== 0) fail(`Chromium made no picture: ${result.stderr.trim().split("\n").at(-1)}`);
  writeFileSync(target, shrinkPng(readFileSync(target)));
  process.stderr.write(`prunelet: ${target}, ${Math.ceil(statSync(target).size / 1024)} KiB\n`);
}

function findChromium() {
  const there = () => pathOf("chromium") ?? pathOf("google-chrome");
  if (there() === undefined) {
    try {
      requireDebianRoot();
      installPackages(["chromium", "fonts-dejavu-core"]);
    } catch (error) {
      fail(`the picture needs Chromium: ${error.message}`);
    }
  }
  return there() ?? fail("the picture needs Chromium: install the package chromium");
}
