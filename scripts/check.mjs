// `npm run check`: the static checks. Formatter and linter, types, generated files that must be current.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { projectNode, root, setUp } from "./setup.mjs";

setUp();
const bin = join(root, "node_modules/.bin");
const checks = [
  ["format and lint", join(bin, "biome"), ["check", "--error-on-warnings", "."]],
  ["types", join(bin, "tsc"), ["-p", "."]],
  ["generated code", process.execPath, [join(root, "scripts/generate.mjs"), "--check"]],
  ["generated chart files", projectNode, [join(root, "scripts/generate-chart.mjs"), "--check"]],
  ["generated documentation", projectNode, [join(root, "scripts/generate-docs.mjs"), "--check"]],
];
let failed = 0;
for (const [name, command, args] of checks) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
  });
  if (result.status !== 0) failed += 1;
  console.log(`${result.status === 0 ? "ok    " : "FAILED"} ${name}`);
}
process.exit(failed === 0 ? 0 : 1);
