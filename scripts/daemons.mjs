// Gets the real daemons that the tests talk to: containerd in three major lines, Docker Engine in three, Podman, runc, a registry,
// busybox. On Debian as root it installs what the release has and unpacks the other lines beside it; elsewhere it records
// what is missing. Run alone: `node scripts/daemons.mjs` prints the manifest.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildOf, installPackages, Missing, openSuites, pathOf, requireDebianRoot } from "./debian.mjs";
import { cacheDir, fingerprint, once } from "./setup.mjs";

const daemonsDir = join(cacheDir, "daemons");
const aptDir = join(cacheDir, "apt");

/** Where the result is written; test/support/daemons/manifest.ts reads it. */
export const manifestFile = join(daemonsDir, "daemons.json");

// Daemons and what runs in them; small filesystems for them; the shells whose completion is tested; what makes the image smaller.
const packages = [
  ...["containerd", "runc", "busybox-static", "docker-registry", "iptables", "podman"],
  ...["e2fsprogs", "xfsprogs"],
  ...["zsh", "fish", "binutils"],
];

/** The containerd lines that the tests cover, and the suites that carry them, the first that answers wins. */
const containerdLines = [
  { version: "1.6", accepts: /^1\.6\./, suites: ["bookworm"] },
  { version: "1.7", accepts: /^1\.7\./, suites: ["trixie"] },
  { version: "2.1", accepts: /^2\./, suites: ["forky", "sid"] },
].map((line) => ({
  ...line,
  packages: ["containerd"],
  programs: {
    containerd: "usr/bin/containerd",
    "containerd-shim-runc-v2": "usr/bin/containerd-shim-runc-v2",
    ctr: "usr/bin/ctr",
  },
  probe: "containerd",
}));

/**
 * The Docker Engines, each with the containerd line of its suite. Never installed, not even the one of this release: the
 * package would start an engine for the whole machine. Later suites have the command `docker` in a package of its own.
 */
const dockerLines = [
  { version: "20.10", accepts: /^20\.10\./, suites: ["bookworm"], packages: ["docker.io", "tini"], containerd: "1.6" },
  {
    version: "26",
    accepts: /^26\./,
    suites: ["trixie"],
    packages: ["docker.io", "docker-cli", "tini"],
    containerd: "1.7",
  },
  {
    version: "28",
    accepts: /^28\./,
    suites: ["forky", "sid"],
    packages: ["docker.io", "docker-cli", "tini-static"],
    containerd: "2.1",
  },
].map((line) => ({
  ...line,
  programs: {
    dockerd: "usr/sbin/dockerd",
    docker: "usr/bin/docker",
    "docker-proxy": "usr/sbin/docker-proxy",
    "docker-init": "usr/bin/tini-static",
  },
  probe: "dockerd",
}));

/**
 * Makes the daemons ready and returns the manifest. Quick when nothing changed. Never throws for what the machine lacks:
 * that is in the manifest (`missing`), is said on stderr, and is tried again the next time.
 */
export function installDaemons() {
  const here = fileURLToPath(import.meta.url);
  const stamp = fingerprint([here, join(dirname(here), "debian.mjs")]);
  once("daemons", stamp, isComplete, () => writeManifest(collect()));
  return readManifest();
}

function isComplete() {
  if (!existsSync(manifestFile)) return false;
  const { missing, containerd, docker, runc, registry, busybox, podman } = readManifest();
  if (missing !== undefined) return false;
  const probes = [...programsOf(containerd, "containerd"), ...programsOf(docker, "dockerd")];
  return [runc, registry, busybox, podman, ...probes].every((file) => file !== undefined && existsSync(file));
}

function programsOf(lines = [{}], program) {
  return lines.map(({ bin }) => (bin === undefined ? undefined : join(bin, program)));
}

function readManifest() {
  return JSON.parse(readFileSync(manifestFile, "utf8"));
}

function writeManifest(manifest) {
  mkdirSync(daemonsDir, { recursive: true });
  const draft = `${manifestFile}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(manifest, null, 2)}\n`);
  renameSync(draft, manifestFile);
}

function collect() {
  try {
    requireDebianRoot();
    installPackages(packages);
  } catch (error) {
    return { missing: tell(error), containerd: [], docker: [] };
  }
  const suites = openSuites(aptDir);
  try {
    const containerd = containerdLines.map((line) => provideContainerd(line, suites));
    return {
      containerd,
      docker: dockerLines.map((line) => provideDocker(line, { suites, containerd })),
      runc: pathOf("runc"),
      registry: pathOf("docker-registry"),
      busybox: pathOf("busybox"),
      podman: pathOf("podman"),
      iptables: pathOf("iptables"),
    };
  } finally {
    suites.close();
  }
}

function provideContainerd(line, suites) {
  return provide(line, () => {
    const installed = dirname(pathOf("containerd") ?? "");
    const bin = isLine(line, installed) ? installed : unpacked(line, suites);
    return { build: buildOf(join(bin, line.probe)), bin };
  });
}

function provideDocker(line, { suites, containerd }) {
  return provide(line, () => {
    const beneath = containerd.find(({ version }) => version === line.containerd);
    if (beneath?.bin === undefined)
      throw new Missing(`Docker Engine ${line.version} needs containerd ${line.containerd}`);
    const bin = unpacked(line, suites);
    return { build: buildOf(join(bin, line.probe)), bin, containerd: beneath.bin };
  });
}

function provide({ version }, get) {
  try {
    return { version, ...get() };
  } catch (error) {
    return { version, missing: tell(error) };
  }
}

/** The folder of a line's programs beside the system, filled when needed. */
function unpacked(line, suites) {
  const bin = join(daemonsDir, `${line.probe}-${line.version}`);
  if (!isLine(line, bin)) suites.fetch(line, bin);
  return bin;
}

function isLine({ accepts, probe, programs }, bin) {
  if (!Object.keys(programs).every((name) => existsSync(join(bin, name)))) return false;
  return accepts.test(buildOf(join(bin, probe)) ?? "");
}

/** Says a `Missing` on stderr and returns its line; anything else is a bug and goes on. */
function tell(error) {
  if (!(error instanceof Missing)) throw error;
  process.stderr.write(`prunelet: tests without some daemons: ${error.message}\n`);
  return error.message;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(`${JSON.stringify(installDaemons(), null, 2)}\n`);
}
