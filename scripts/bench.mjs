// `npm run bench`: set-up, build and daemons, then the benchmarks on the project's own Node.js. Arguments pass through.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { build } from "./build.mjs";
import { installDaemons } from "./daemons.mjs";
import { fail, projectNode, root } from "./setup.mjs";

build();
const { missing } = installDaemons();
if (missing !== undefined) fail(`the benchmarks need real daemons: ${missing}`);
const main = join(root, "bench/main.ts");
const result = spawnSync(projectNode, [main, ...process.argv.slice(2)], { cwd: root, stdio: "inherit" });
process.exit(result.status ?? 1);
