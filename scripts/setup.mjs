// Set-up that every command of the project shares: installs the locked dependencies (Node.js 24 among them) when they
// are not there yet or the lock file changed. Says what it does on stderr; does nothing, quickly, when nothing changed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
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
    installDependencies,
  );
}

function installDependencies() {
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
