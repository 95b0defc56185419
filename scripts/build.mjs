// Bundles the program into dist/prunelet.js: one file that needs Node.js and nothing else.
import { spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
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

function listSources() {
  const lists = spawnSync("git", ["ls-files", "-co", "--exclude-standard", "src"], { cwd: root, encoding: "utf8" });
  const files = lists.status === 0 ? lists.stdout.split("\n").filter(Boolean) : filesBelow("src");
  return [
    ...files.map((file) => join(root, file)).filter(existsSync),
    join(root, "package-lock.json"),
    join(root, "scripts/bundle.mjs"),
  ];
}

function filesBelow(folder) {
  // Without git (an unpacked archive) the folder is read; globSync came with Node.js 22, so Node.js 20 builds anew each time.
  return typeof globSync === "function"
    ? globSync(`${folder}/**/*`, { cwd: root }).filter((file) => /\.\w+$/.test(file))
    : [];
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) build();
