// Bundles the program into the folder dist: dist/prunelet.js needs Node.js and what is beside it, nothing else.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { fail, fingerprint, once, projectNode, root, setUp } from "./setup.mjs";

export const bundle = join(root, "dist/prunelet.js");

/** Builds when a source file, a dependency or this script changed. */
export function build() {
  setUp();
  const sources = listSources();
  once(
    "build",
    fingerprint(sources),
    () => existsSync(bundle),
    () => {
      process.stderr.write("prunelet: building dist/prunelet.js ...\n");
      const result = spawnSync(projectNode, [join(root, "scripts/bundle.mjs")], { cwd: root, stdio: ["ignore", 2, 2] });
      if (result.status !== 0) fail("the build failed: see the messages above");
    },
  );
}

/** Everything that goes into the bundle: sources, dependencies, and the bundler's settings. */
function listSources() {
  const sources = readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
  return [
    ...sources,
    ...["package.json", "package-lock.json", "scripts/bundle.mjs", "scripts/compile.mjs"].map((file) =>
      join(root, file),
    ),
  ];
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) build();
