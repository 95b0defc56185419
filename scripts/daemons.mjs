// Gets the real daemons that the tests talk to: containerd in three major lines, runc, a registry, busybox. On Debian as
// root it installs what the release has and unpacks other containerd lines beside it; elsewhere it records what is missing.
// Run alone: `node scripts/daemons.mjs` prints the manifest.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheDir, fingerprint, once } from "./setup.mjs";

const daemonsDir = join(cacheDir, "daemons");
const aptDir = join(cacheDir, "apt");

/** Where the result is written; test/support/daemons/manifest.ts reads it. */
export const manifestFile = join(daemonsDir, "daemons.json");

const packages = ["containerd", "runc", "busybox-static", "docker-registry", "iptables"];

/** The containerd lines that the tests cover, and the suites that carry them, the first that answers wins. */
const lines = [
  { version: "1.6", accepts: /^1\.6\./, suites: ["bookworm"] },
  { version: "1.7", accepts: /^1\.7\./, suites: ["trixie"] },
  { version: "2.1", accepts: /^2\./, suites: ["forky", "sid"] },
];

/** Only these are kept of an unpacked package. */
const binaries = ["containerd", "containerd-shim-runc-v2", "ctr"];

/** A failure with one line for people: the cause and the mend. */
class Missing extends Error {}

/**
 * Makes the daemons ready and returns the manifest. Quick when nothing changed. Never throws for what the machine lacks:
 * that is in the manifest (`missing`), is said on stderr, and is tried again the next time.
 */
export function installDaemons() {
  const stamp = fingerprint([fileURLToPath(import.meta.url)]);
  once("daemons", stamp, isComplete, () => writeManifest(collect()));
  return readManifest();
}

function isComplete() {
  if (!existsSync(manifestFile)) return false;
  const { missing, containerd, runc, registry, busybox } = readManifest();
  if (missing !== undefined) return false;
  const files = [runc, registry, busybox, ...containerd.map((line) => line.bin && join(line.bin, "containerd"))];
  return files.every((file) => file !== undefined && existsSync(file));
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
    installPackages();
  } catch (error) {
    return { missing: tell(error), containerd: [] };
  }
  return {
    containerd: lines.map(provideLine),
    runc: pathOf("runc"),
    registry: pathOf("docker-registry"),
    busybox: pathOf("busybox"),
    iptables: pathOf("iptables"),
  };
}

function provideLine(line) {
  try {
    const bin = installedLine(line) ?? unpackedLine(line) ?? unpackLine(line);
    return { version: line.version, build: buildOf(bin), bin };
  } catch (error) {
    return { version: line.version, missing: tell(error) };
  }
}

/** Says a `Missing` on stderr and returns its line; anything else is a bug and goes on. */
function tell(error) {
  if (!(error instanceof Missing)) throw error;
  process.stderr.write(`prunelet: tests without some daemons: ${error.message}\n`);
  return error.message;
}

function requireDebianRoot() {
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  if (!/^ID=debian$/m.test(release))
    throw new Missing("this is not Debian: run the tests in a Debian container or machine");
  if (process.getuid?.() !== 0) throw new Missing("not running as root: run the tests as root to use real daemons");
}

function installPackages() {
  const absent = packages.filter((name) => !isInstalled(name));
  if (absent.length === 0) return;
  process.stderr.write(`prunelet: installing ${absent.join(", ")} for the tests ...\n`);
  const install = ["install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", ...absent];
  if (run("apt-get", install).ok) return;
  run("apt-get", ["update", "-q"]);
  const second = run("apt-get", install);
  if (!second.ok)
    throw new Missing(`apt-get cannot install ${absent.join(" ")} (${second.reason}): install them by hand`);
}

function isInstalled(name) {
  return /^Status: .* installed$/m.test(run("dpkg-query", ["-s", name]).stdout);
}

function installedLine(line) {
  const bin = pathOf("containerd")?.replace(/\/containerd$/, "");
  return bin !== undefined && line.accepts.test(buildOf(bin) ?? "") ? bin : undefined;
}

function unpackedLine(line) {
  const bin = join(daemonsDir, `containerd-${line.version}`);
  return line.accepts.test(buildOf(bin) ?? "") ? bin : undefined;
}

function unpackLine(line) {
  const reasons = [];
  for (const suite of line.suites) {
    try {
      return unpackFrom(suite, line);
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      reasons.push(`${suite}: ${error.message}`);
    }
  }
  throw new Missing(
    `no containerd ${line.version} (${reasons.join("; ")}): check the Debian mirror, then run it again`,
  );
}

function unpackFrom(suite, line) {
  process.stderr.write(`prunelet: fetching containerd ${line.version} from Debian ${suite} for the tests ...\n`);
  const folder = join(aptDir, suite);
  try {
    return unpack(download(privateApt(suite, folder), line, folder), line);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function download(apt, line, folder) {
  const update = apt("apt-get", ["update", "-q"]);
  if (!update.ok) throw new Missing(update.reason);
  const version = newestVersion(apt, line);
  if (version === undefined) throw new Missing(`the suite has no containerd ${line.version}`);
  const fetched = apt("apt-get", ["download", "-q", `containerd=${version}`]);
  const archive = readdirSync(folder).find((file) => file.endsWith(".deb"));
  if (!fetched.ok || archive === undefined) throw new Missing(fetched.reason);
  return join(folder, archive);
}

/** The first version that apt lists (it lists the newest first) of the line's own minor version, else of its major one. */
function newestVersion(apt, line) {
  const versions = apt("apt-cache", ["madison", "containerd"])
    .stdout.split("\n")
    .map((row) => row.split("|")[1]?.trim() ?? "");
  return versions.find((one) => one.startsWith(`${line.version}.`)) ?? versions.find((one) => line.accepts.test(one));
}

/** Unpacks beside the target and renames, so that an interrupted run leaves nothing that looks complete. */
function unpack(archive, line) {
  const bin = join(daemonsDir, `containerd-${line.version}`);
  const draft = `${bin}.${process.pid}`;
  mkdirSync(daemonsDir, { recursive: true });
  const extract = run("dpkg", ["-x", archive, draft]);
  if (!extract.ok) throw new Missing(`dpkg -x ${basename(archive)}: ${extract.reason}`);
  const kept = `${draft}.kept`;
  mkdirSync(kept, { recursive: true });
  for (const name of binaries) renameSync(join(draft, "usr/bin", name), join(kept, name));
  rmSync(draft, { recursive: true });
  rmSync(bin, { recursive: true, force: true });
  renameSync(kept, bin);
  const start = run(join(bin, "containerd"), ["--version"]);
  if (!start.ok) throw new Missing(`its containerd does not start here (${start.reason})`);
  return bin;
}

/**
 * apt with one suite of the machine's own mirror, and with lists and archives of its own: the machine's package state is
 * neither read nor changed.
 */
function privateApt(suite, folder) {
  rmSync(folder, { recursive: true, force: true });
  for (const sub of ["lists/partial", "archives/partial"]) mkdirSync(join(folder, sub), { recursive: true });
  const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
  const options = existsSync(keyring) ? `[signed-by=${keyring}] ` : "";
  writeFileSync(join(folder, "sources.list"), `deb ${options}${mirror()} ${suite} main\n`);
  writeFileSync(join(folder, "apt.conf"), aptSettings(folder));
  const env = { APT_CONFIG: join(folder, "apt.conf") };
  return (tool, args) => run(tool, args, { cwd: folder, env });
}

function aptSettings(folder) {
  const skipped = ["DEP-11", "DEP-11-icons-small", "DEP-11-icons", "DEP-11-icons-large", "Contents-deb"];
  return [
    `Dir::Etc::sourcelist "${folder}/sources.list";`,
    'Dir::Etc::sourceparts "-";',
    `Dir::State::lists "${folder}/lists";`,
    `Dir::Cache::archives "${folder}/archives";`,
    'Dir::Cache::pkgcache "";',
    'Dir::Cache::srcpkgcache "";',
    'Acquire::Languages "none";',
    'APT::Sandbox::User "root";',
    // Otherwise a mirror that cannot be reached is a warning only.
    'APT::Update::Error-Mode "any";',
    'Acquire::Retries "1";',
    ...skipped.map((target) => `Acquire::IndexTargets::deb::${target}::DefaultEnabled "false";`),
    "",
  ].join("\n");
}

/** The archive that this machine's apt takes the main component of its own release from. */
function mirror() {
  const codename = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  const format = "$(CODENAME)|$(RELEASE)|$(COMPONENT)|$(REPO_URI)";
  const rows = run("apt-get", ["indextargets", "--format", format, "Created-By: Packages"]).stdout.split("\n");
  const row = rows
    .map((text) => text.split("|"))
    .find((f) => (f[0] === codename || f[1] === codename) && f[2] === "main");
  if (row === undefined)
    throw new Missing("apt knows no mirror of this Debian release: add one to /etc/apt/sources.list.d");
  return row[3];
}

function buildOf(bin) {
  const words = run(join(bin, "containerd"), ["--version"]).stdout.trim().split(/\s+/);
  return words[2]?.replace(/^v/, "");
}

function pathOf(name) {
  const folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}

/** Runs a program; `reason` is the line of its errors that tells most, for a message of one line. */
function run(program, args, { cwd, env } = {}) {
  const result = spawnSync(program, args, {
    cwd,
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C", ...env },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 300_000,
  });
  const errors = (result.stderr ?? "").trim().split("\n");
  const reason = result.error?.message ?? errors.find((line) => /^E:|error: /.test(line)) ?? errors.at(-1);
  return { ok: result.status === 0, stdout: result.stdout ?? "", reason: reason || `exit status ${result.status}` };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(`${JSON.stringify(installDaemons(), null, 2)}\n`);
}
