// Set-up that every command of the project shares: installs the locked dependencies (Node.js 24 among them) when they
// are not there yet or the lock file changed. Says what it does on stderr; does nothing, quickly, when nothing changed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The project's own Node.js, present after `setUp()`. */
export const projectNode = join(root, "node_modules/.bin/node");

/** Where set-up keeps its stamps and downloads. Never part of the repository. */
export const cacheDir = join(root, ".cache");

/** A digest of the content of files, to tell whether anything changed. */
export function fingerprint(files) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(file).update("\0").update(readFileSync(file)).update("\0");
  return hash.digest("hex");
}

/** Runs `work` unless the stamp `name` already holds `value`; writes the stamp afterwards. */
export function once(name, value, isThere, work) {
  const stamp = join(cacheDir, `${name}.stamp`);
  if (isThere() && existsSync(stamp) && readFileSync(stamp, "utf8") === value) return;
  work();
  mkdirSync(cacheDir, { recursive: true });
  writeFileSync(stamp, value);
}

/** Installs the dependencies of the lock file when needed. Ends the process with a clear line when that fails. */
export function setUp() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 20) fail(`Node.js ${process.versions.node} is too old to set prunelet up: install Node.js 20 or later`);
  once(
    "dependencies",
    fingerprint([join(root, "package-lock.json")]),
    () => existsSync(projectNode),
    () => {
      if (!isInstalled()) installDependencies();
    },
  );
}

/** True when somebody has run `npm ci` by hand: npm writes down what it installed, and that is what the lock file asks for. */
function isInstalled() {
  const installed = packagesOf(join(root, "node_modules/.package-lock.json"));
  const locked = packagesOf(join(root, "package-lock.json"));
  if (installed === undefined || locked === undefined || !existsSync(projectNode)) return false;
  const isSame = (path) =>
    installed[path]?.version === locked[path]?.version && installed[path]?.integrity === locked[path]?.integrity;
  // Optional packages are those of other platforms.
  const isMissing = (path) => path !== "" && installed[path] === undefined && locked[path].optional !== true;
  return Object.keys(installed).every(isSame) && !Object.keys(locked).some(isMissing);
}

/** The packages of a lock file; undefined when it is not there or cannot be read. */
function packagesOf(lockFile) {
  try {
    return JSON.parse(readFileSync(lockFile, "utf8")).packages;
  } catch {
    return undefined;
  }
}

function installDependencies() {
  const folder = join(root, "node_modules");
  if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink()) {
    fail(
      "node_modules is a link, and `npm ci` would empty the folder behind it: remove the link, or install there what package-lock.json asks for",
    );
  }
  process.stderr.write("prunelet: installing dependencies (npm ci) ...\n");
  const install = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (install.status !== 0 || !existsSync(projectNode)) {
    fail(
      "`npm ci` failed: see its messages above, check that the npm registry can be reached, then run the command again",
    );
  }
}

/** Ends the process with one line that names the cause and the mend. */
export function fail(message) {
  process.stderr.write(`prunelet: ${message}\n`);
  process.exit(1);
}
