// Generates the protobuf code from proto/. With --check it changes nothing and fails when the generated code is stale.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fail, root, setUp } from "./setup.mjs";

/** Each proto module and the folder of its generated code. */
const modules = [
  { proto: "proto/containerd", gen: "src/runtime/containerd/gen" },
  { proto: "proto/cri", gen: "src/runtime/cri/gen" },
];

setUp();
if (process.argv.includes("--check")) check();
else for (const { proto, gen } of modules) generate(proto, join(root, gen));

function check() {
  const scratch = mkdtempSync(join(tmpdir(), "prunelet-generate-"));
  try {
    for (const { proto, gen } of modules) {
      const fresh = join(scratch, gen);
      generate(proto, fresh);
      const stale = firstDifference(fresh, join(root, gen));
      if (stale) fail(`${gen}/${stale} is stale: run \`npm run generate\` and commit the result`);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function generate(proto, into) {
  rmSync(into, { recursive: true, force: true });
  const bin = join(root, "node_modules/.bin");
  const buf = spawnSync(join(bin, "buf"), ["generate", proto, "--output", into], {
    cwd: root,
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
    encoding: "utf8",
  });
  if (buf.status !== 0) fail(`buf generate ${proto} failed: ${(buf.stderr ?? String(buf.error)).trim()}`);
}

/** The first path, in order, that is not the same in both folders; undefined when all are. */
function firstDifference(left, right) {
  const paths = new Set([...filesOf(left), ...filesOf(right)]);
  return [...paths].sort().find((path) => contentOf(join(left, path)) !== contentOf(join(right, path)));
}

function filesOf(folder) {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  } catch {
    return [];
  }
}

function contentOf(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
