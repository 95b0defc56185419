// `npm test`: sets everything up (real daemons, Helm and Prometheus too, where the machine allows) and runs every test. Arguments go to vitest.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { installDaemons } from "./daemons.mjs";
import { installHelm } from "./helm-tools.mjs";
import { installPrometheus } from "./prometheus-tools.mjs";
import { cacheDir, root } from "./setup.mjs";

build();
installDaemons();
installHelm();
installPrometheus();

const results = join(cacheDir, "test-results.json");
mkdirSync(cacheDir, { recursive: true });
rmSync(results, { force: true });
const bin = join(root, "node_modules/.bin");
const run = spawnSync(
  join(bin, "vitest"),
  ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${results}`, ...process.argv.slice(2)],
  { cwd: root, stdio: "inherit", env: { ...process.env, PATH: `${bin}:${process.env.PATH}` } },
);
const { passed, failed, skipped } = countTests();
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(run.status === 0 && failed === 0 && passed > 0 ? 0 : 1);

/** Counts from the report. A run that left none has failed, whatever its exit code. */
function countTests() {
  try {
    const report = JSON.parse(readFileSync(results, "utf8"));
    const brokenFiles = report.testResults.filter(
      (file) => file.status === "failed" && file.assertionResults.length === 0,
    );
    return {
      passed: report.numPassedTests,
      failed: report.numFailedTests + brokenFiles.length,
      skipped: report.numPendingTests + report.numTodoTests,
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
