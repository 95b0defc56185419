// Keeps the code that V8 makes of the bundled program beside it, for src/load-program.ts. Usage: node compile.mjs FOLDER, a folder with
// program.js. What a command compiles while it runs is kept as well, so commands run here: with each adapter, none of which
// gets far, and on a simulated node.
import { readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { loadProgram } from "../src/load-program.ts";

const [folder] = process.argv.slice(2);
const nowhere = join(folder, "nowhere");
const node = ["--pods", "none", "--state-file", nowhere, "--endpoint", `unix://${nowhere}`];
const commands = [
  ...["docker", "cri", "containerd"].map((runtime) => ["prune", "--yes", "--runtime", runtime, ...node]),
  ["plan", "--runtime", "embedded"],
  ["images", "--runtime", "embedded", "-o", "json"],
];

const { program, script, codeFile } = loadProgram(folder);
for (const command of commands) await program.main(command);
writeFileSync(`${codeFile}.${process.pid}`, script.createCachedData());
renameSync(`${codeFile}.${process.pid}`, codeFile);
for (const name of readdirSync(folder)) {
  if (/^program\..*\.code$/.test(name) && name !== basename(codeFile)) rmSync(join(folder, name), { force: true });
}
