// Gets Prometheus and promtool, which the monitoring tests talk to, from Debian: unpacked beside the system, so that no
// service starts on this machine. Run alone: `node scripts/prometheus-tools.mjs` prints where they are.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildOf, Missing, openSuites, requireDebianRoot } from "./debian.mjs";
import { cacheDir, fingerprint, once } from "./setup.mjs";

const toolsDir = join(cacheDir, "prometheus");

/** Where the result is written; test/monitoring/tools.ts reads it. */
const manifestFile = join(toolsDir, "tools.json");

const line = {
  version: "2",
  accepts: /^[23]\./,
  suites: ["bookworm", "trixie", "sid"],
  packages: ["prometheus"],
  programs: { prometheus: "usr/bin/prometheus", promtool: "usr/bin/promtool" },
  probe: "prometheus",
};

/**
 * Makes the tools ready and returns the manifest: `{ build, bin }`, or `{ missing }` with one line that says why. Quick when
 * nothing changed; what was missing is tried again the next time.
 */
export function installPrometheus() {
  const here = fileURLToPath(import.meta.url);
  const stamp = fingerprint([here, join(dirname(here), "debian.mjs")]);
  once("prometheus", stamp, isComplete, () => writeManifest(collect()));
  return readManifest();
}

function isComplete() {
  if (!existsSync(manifestFile)) return false;
  const { bin } = readManifest();
  return bin !== undefined && Object.keys(line.programs).every((name) => existsSync(join(bin, name)));
}

function readManifest() {
  return JSON.parse(readFileSync(manifestFile, "utf8"));
}

function writeManifest(manifest) {
  mkdirSync(toolsDir, { recursive: true });
  const draft = `${manifestFile}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(manifest, null, 2)}\n`);
  renameSync(draft, manifestFile);
}

function collect() {
  const suites = openSuites(join(cacheDir, "apt-prometheus"));
  const bin = join(toolsDir, "bin");
  try {
    requireDebianRoot();
    suites.fetch(line, bin);
    return { build: buildOf(join(bin, line.probe)), bin };
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    process.stderr.write(`prunelet: tests without Prometheus: ${error.message}\n`);
    return { missing: error.message };
  } finally {
    suites.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(`${JSON.stringify(installPrometheus(), null, 2)}\n`);
}
