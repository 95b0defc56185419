// Gets crictl, the peer of the benchmarks, built from its Go module. Needs Go; without it, it says what is missing.
// Run alone: `node scripts/crictl.mjs` prints where it is.
import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { go, Missing } from "./go.mjs";
import { cacheDir, fingerprint, once } from "./setup.mjs";

/** Speaks CRI v1, which containerd has since 1.6. */
const version = "v1.34.0";
const target = join(cacheDir, "bin/crictl");

/** The path of crictl, or the reason why there is none. The first run takes a minute or two. */
export function installCrictl() {
  try {
    once("crictl", fingerprint([fileURLToPath(import.meta.url)]), () => existsSync(target), build);
    return { path: target };
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    return { missing: error.message };
  }
}

function build() {
  process.stderr.write(`prunelet: building crictl ${version} for the benchmarks ...\n`);
  const draft = `${target}.${process.pid}`;
  const flags = `-ldflags=-s -w -X sigs.k8s.io/cri-tools/pkg/version.Version=${version}`;
  try {
    go(["install", flags, `sigs.k8s.io/cri-tools/cmd/crictl@${version}`], { GOBIN: draft });
    renameSync(join(draft, "crictl"), target);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(`${JSON.stringify(installCrictl())}\n`);
}
