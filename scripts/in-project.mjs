// Runs a tool of this project on the project's own Node.js: `node scripts/in-project.mjs biome check .`
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setUp } from "./setup.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
setUp();
const [tool, ...args] = process.argv.slice(2);
const result = spawnSync(join(root, "node_modules/.bin", tool), args, {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, PATH: `${join(root, "node_modules/.bin")}:${process.env.PATH}` },
});
process.exit(result.status ?? 1);
