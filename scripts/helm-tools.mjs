// Gets what the chart's tests need: Helm 3 and 4, built from their Go modules, and the schemas of Kubernetes' objects, taken from
// the modules that hold them. Needs Go; without it, it records what is missing. Run alone: `node scripts/helm-tools.mjs`.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { go, goProgram, Missing } from "./go.mjs";
import { cacheDir, fingerprint, once } from "./setup.mjs";

const binDir = join(cacheDir, "bin");
const schemasDir = join(cacheDir, "kubernetes-schemas");

/** Where the result is written; test/chart/helm.ts reads it. */
const manifestFile = join(binDir, "helm.json");

const helms = [
  { name: "helm3", module: "helm.sh/helm/v3/cmd/helm", version: "v3.22.0" },
  { name: "helm4", module: "helm.sh/helm/v4/cmd/helm", version: "v4.3.1" },
];

const openapi = "api/openapi-spec/v3";
const crds = "example/prometheus-operator-crd/monitoring.coreos.com_";

/** Files that describe objects: what the chart creates, in the words of those who define it. */
const schemas = [
  {
    module: "k8s.io/kubernetes@v1.35.0",
    files: [
      `${openapi}/api__v1_openapi.json`,
      `${openapi}/apis__apps__v1_openapi.json`,
      `${openapi}/apis__rbac.authorization.k8s.io__v1_openapi.json`,
      `${openapi}/apis__networking.k8s.io__v1_openapi.json`,
    ],
  },
  {
    module: "github.com/prometheus-operator/prometheus-operator@v0.85.0",
    files: ["servicemonitors", "podmonitors", "prometheusrules"].map((kind) => `${crds}${kind}.yaml`),
  },
  { module: "k8s.io/autoscaler/vertical-pod-autoscaler@v1.8.1", files: ["deploy/vpa-v1-crd-gen.yaml"] },
];

/**
 * Makes the tools ready and returns the manifest: paths of `helm3`, `helm4` and `schemas`, or reasons under `missing`. Quick when
 * nothing changed; what was missing is said on stderr and tried again the next time. The first run takes minutes.
 */
export function installHelm() {
  const stamp = fingerprint([fileURLToPath(import.meta.url)]);
  once("helm", stamp, isComplete, () => writeManifest(collect()));
  return readManifest();
}

function isComplete() {
  if (!existsSync(manifestFile)) return false;
  const { missing, ...paths } = readManifest();
  return Object.keys(missing).length === 0 && Object.values(paths).every((path) => existsSync(path));
}

function readManifest() {
  return JSON.parse(readFileSync(manifestFile, "utf8"));
}

function writeManifest(manifest) {
  mkdirSync(binDir, { recursive: true });
  const draft = `${manifestFile}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(manifest, null, 2)}\n`);
  renameSync(draft, manifestFile);
}

function collect() {
  const manifest = { missing: {} };
  const parts = [
    ...helms.map((helm) => ({ name: helm.name, get: () => installOne(helm) })),
    { name: "schemas", get: fetchSchemas },
  ];
  for (const { name, get } of parts) {
    try {
      manifest[name] = get();
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      process.stderr.write(`prunelet: chart tests without ${name}: ${error.message}\n`);
      manifest.missing[name] = error.message;
    }
  }
  return manifest;
}

/** Builds in a folder of its own: both modules call their program `helm`. */
function installOne({ name, module, version }) {
  const target = join(binDir, name);
  if (moduleVersion(target) === version) return target;
  process.stderr.write(`prunelet: building Helm ${version} for the tests, which takes some minutes ...\n`);
  const draft = `${target}.${process.pid}`;
  try {
    go(["install", "-ldflags=-s -w", `${module}@${version}`], { GOBIN: draft });
    renameSync(join(draft, "helm"), target);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return target;
}

function moduleVersion(program) {
  if (!existsSync(program)) return undefined;
  const { stdout } = spawnSync(goProgram() ?? "go", ["version", "-m", program], { encoding: "utf8" });
  return /^\tmod\t\S+\t(\S+)/m.exec(stdout ?? "")?.[1];
}

/** Downloads the modules into a cache of their own, which goes away again: they are large, and only a few files matter. */
function fetchSchemas() {
  const wanted = schemas.flatMap(({ files }) => files.map((file) => join(schemasDir, file.split("/").at(-1))));
  if (wanted.every((file) => existsSync(file))) return schemasDir;
  process.stderr.write("prunelet: fetching the schemas of Kubernetes' objects for the tests ...\n");
  const draft = `${schemasDir}.${process.pid}`;
  const modules = join(draft, "modules");
  mkdirSync(modules, { recursive: true });
  try {
    for (const { module, files } of schemas) {
      const options = { GOMODCACHE: modules, GOFLAGS: "-modcacherw -mod=mod" };
      const { Dir } = JSON.parse(go(["mod", "download", "-json", module], options));
      for (const file of files) cpSync(join(Dir, file), join(draft, file.split("/").at(-1)));
    }
    rmSync(modules, { recursive: true, force: true });
    rmSync(schemasDir, { recursive: true, force: true });
    renameSync(draft, schemasDir);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return schemasDir;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(`${JSON.stringify(installHelm(), null, 2)}\n`);
}
