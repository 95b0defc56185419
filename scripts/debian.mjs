// Programs from Debian for the tests: packages of this release are installed, packages of other suites are only unpacked
// beside the system, with package lists of their own.
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";

/** A failure with one line for people: the cause and the mend. */
export class Missing extends Error {}

export function requireDebianRoot() {
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  if (!/^ID=debian$/m.test(release))
    throw new Missing("this is not Debian: run the tests in a Debian container or machine");
  if (process.getuid?.() !== 0) throw new Missing("not running as root: run the tests as root to use real daemons");
}

/** Installs what is absent from this release. */
export function installPackages(names) {
  const absent = names.filter((name) => !isInstalled(name));
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

/**
 * A source of packages of other suites that keeps the lists of each suite until it is closed. `fetch` unpacks programs into
 * a folder; the suites are tried in order, the first that has the version wins.
 */
export function openSuites(folder) {
  const opened = new Map();
  const aptOf = (suite) => {
    if (!opened.has(suite)) opened.set(suite, openSuite(suite, join(folder, suite)));
    return opened.get(suite);
  };
  return {
    fetch(wanted, target) {
      const reasons = [];
      for (const suite of wanted.suites) {
        try {
          return unpack(download(aptOf(suite), wanted), wanted, target);
        } catch (error) {
          if (!(error instanceof Missing)) throw error;
          reasons.push(`${suite}: ${error.message}`);
        }
      }
      const name = `${wanted.packages[0]} ${wanted.version}`;
      throw new Missing(`no ${name} (${reasons.join("; ")}): check the Debian mirror, then run it again`);
    },
    close() {
      for (const suite of opened.keys()) rmSync(join(folder, suite), { recursive: true, force: true });
    },
  };
}

function openSuite(suite, folder) {
  process.stderr.write(`prunelet: reading the package lists of Debian ${suite} for the tests ...\n`);
  const apt = { folder, run: privateApt(suite, folder) };
  const update = apt.run("apt-get", ["update", "-q"]);
  return update.ok ? apt : { ...apt, problem: update.reason };
}

/** Downloads the packages; the first one decides the version, companions come in whatever version the suite has. */
function download(apt, { packages, version, accepts }) {
  if (apt.problem !== undefined) throw new Missing(apt.problem);
  const [main, ...companions] = packages;
  const chosen = newestVersion(apt, { main, version, accepts });
  if (chosen === undefined) throw new Missing(`the suite has no ${main} ${version}`);
  process.stderr.write(`prunelet: fetching ${main} ${chosen} for the tests ...\n`);
  return [`${main}=${chosen}`, ...companions].map((wanted) => downloadOne(apt, wanted));
}

function downloadOne(apt, wanted) {
  for (const file of archivesIn(apt.folder)) rmSync(join(apt.folder, file));
  const fetched = apt.run("apt-get", ["download", "-q", wanted]);
  const [archive] = archivesIn(apt.folder);
  if (!fetched.ok || archive === undefined) throw new Missing(fetched.reason);
  const kept = join(apt.folder, "kept");
  mkdirSync(kept, { recursive: true });
  renameSync(join(apt.folder, archive), join(kept, archive));
  return join(kept, archive);
}

function archivesIn(folder) {
  return readdirSync(folder).filter((file) => file.endsWith(".deb"));
}

/** The first version that apt lists (it lists the newest first) of the wanted minor version, else an acceptable one. */
function newestVersion(apt, { main, version, accepts }) {
  const versions = apt
    .run("apt-cache", ["madison", main])
    .stdout.split("\n")
    .map((row) => row.split("|")[1]?.trim() ?? "");
  return versions.find((one) => one.startsWith(`${version}.`)) ?? versions.find((one) => accepts.test(one));
}

/** Unpacks beside the target and renames, so that an interrupted run leaves nothing that looks complete. */
function unpack(archives, { programs, probe }, target) {
  const draft = `${target}.${process.pid}`;
  const kept = `${draft}.kept`;
  mkdirSync(kept, { recursive: true });
  try {
    for (const archive of archives) extract(archive, draft);
    for (const [name, path] of Object.entries(programs)) keep(join(draft, path), join(kept, name));
    rmSync(target, { recursive: true, force: true });
    renameSync(kept, target);
  } finally {
    for (const folder of [draft, kept]) rmSync(folder, { recursive: true, force: true });
  }
  const start = run(join(target, probe), ["--version"]);
  if (!start.ok) throw new Missing(`its ${probe} does not start here (${start.reason})`);
}

function extract(archive, folder) {
  const result = run("dpkg", ["-x", archive, folder]);
  if (!result.ok) throw new Missing(`dpkg -x ${basename(archive)}: ${result.reason}`);
}

function keep(file, target) {
  if (!existsSync(file)) throw new Missing(`its packages hold no ${basename(file)}`);
  copyFileSync(file, target);
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

/** Where a program of the system is, or undefined. */
export function pathOf(name) {
  const folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}

/** The version that `<program> --version` tells as its third word (containerd, dockerd), or undefined. */
export function buildOf(program) {
  const words = run(program, ["--version"]).stdout.trim().split(/\s+/);
  return words[2]?.replace(/^v|,$/g, "");
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
