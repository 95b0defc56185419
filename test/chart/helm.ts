// Runs the real Helm on the chart, as scripts/helm-tools.mjs got it.
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "vitest";
import { parseAllDocuments } from "yaml";
import * as z from "zod";

export const chartFolder = join(import.meta.dirname, "../../charts/prunelet");
const manifestFile = join(import.meta.dirname, "../../.cache/bin/helm.json");

const manifestSchema = z.object({
  missing: z.record(z.string(), z.string()),
  helm3: z.string().optional(),
  helm4: z.string().optional(),
  schemas: z.string().optional(),
});
type Manifest = z.infer<typeof manifestSchema>;
export type HelmVersion = "helm3" | "helm4";
export const helmVersions: readonly HelmVersion[] = ["helm3", "helm4"];

/** An object of Kubernetes. Its fields are looked up with `at`. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** Values as people write them. */
export type Values = Readonly<Record<string, unknown>>;

export interface RenderOptions {
  readonly helm?: HelmVersion;
  readonly chart?: string;
  readonly release?: string;
  readonly namespace?: string;
}

/** Builds of Helm by `go install` do not know a Kubernetes version of their own. */
const kubeVersion = ["--kube-version", "1.34.0"];

/** `describe` for tests that need `tools`: skipped with the reason where they are missing, failed when CI is set. */
export function describeHelm(title: string, tools: readonly (HelmVersion | "schemas")[], tests: () => void): void {
  const manifest = readManifest();
  const missing = tools.find((tool) => manifest[tool] === undefined);
  if (missing === undefined) return void describe(title, tests);
  const reason = manifest.missing[missing] ?? `no ${missing}`;
  if (isPipeline()) describe(title, () => test("has its tools", () => Promise.reject(new Error(reason))));
  else describe.skip(`${title} (skipped: ${reason})`, tests);
}

/** The path of a tool; fails where it is missing. */
export function toolPath(tool: HelmVersion | "schemas"): string {
  const path = readManifest()[tool];
  if (path === undefined) throw new Error(`${tool} is missing: run \`node scripts/helm-tools.mjs\``);
  return path;
}

/** Runs Helm with values on stdin. Fails with what it wrote to stderr. */
export function runHelm(helm: HelmVersion, args: readonly string[], values: Values = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const settings = { timeout: 60_000, maxBuffer: 64 << 20 };
    const child = execFile(toolPath(helm), [...args, "--values", "-"], settings, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${stderr}${stdout}` || error.message, { cause: error }));
    });
    child.stdin?.end(JSON.stringify(values));
  });
}

/** `helm lint --strict`. */
export function lint(helm: HelmVersion, values: Values = {}): Promise<string> {
  return runHelm(helm, ["lint", "--strict", ...kubeVersion, chartFolder], values);
}

/** `helm template`, read back as objects. */
export async function render(values: Values = {}, options: RenderOptions = {}): Promise<Rendered> {
  const { helm = "helm3", chart = chartFolder, release = "prunelet", namespace = "prunelet" } = options;
  const text = await runHelm(helm, ["template", release, chart, "--namespace", namespace, ...kubeVersion], values);
  // Kubernetes reads YAML 1.1, in which a bare `yes` is a boolean.
  const documents = parseAllDocuments(text, { version: "1.1" });
  if (!Array.isArray(documents)) return new Rendered([]);
  const problems = documents.flatMap((document) => [...document.errors, ...document.warnings]);
  if (problems.length > 0) throw new Error(`Helm rendered no valid YAML: ${problems.join("; ")}`);
  return new Rendered(
    documents.map((document) => document.toJS() as KubernetesObject | null).filter((o) => o !== null),
  );
}

/** The objects of a release. */
export class Rendered {
  readonly objects: readonly KubernetesObject[];

  constructor(objects: readonly KubernetesObject[]) {
    this.objects = objects;
  }

  kinds(): readonly string[] {
    return this.objects.map(({ kind }) => kind).sort();
  }

  /** The only object of a kind (and, where there are several, of a name that ends so). */
  one(kind: string, nameEnd = ""): KubernetesObject {
    const found = this.objects.filter((object) => object.kind === kind && object.metadata.name.endsWith(nameEnd));
    const [object] = found;
    if (object === undefined || found.length > 1) throw new Error(`${found.length} objects of kind ${kind}, not one`);
    return object;
  }

  /** The pod that the DaemonSet makes. */
  pod(): unknown {
    return at(this.one("DaemonSet"), "spec", "template", "spec");
  }

  container(): unknown {
    return at(this.pod(), "containers", 0);
  }

  /** The agent's configuration file. */
  config(): string {
    const config = this.objects.find((object) => object.kind === "ConfigMap" && at(object, "data", "config.yaml"));
    return String(at(config, "data", "config.yaml"));
  }
}

/** A field of an untyped object; undefined where the path ends early. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let node = value;
  for (const key of path) {
    if (typeof node !== "object" || node === null) return undefined;
    node = (node as Record<string | number, unknown>)[key];
  }
  return node;
}

function readManifest(): Manifest {
  if (existsSync(manifestFile)) return manifestSchema.parse(JSON.parse(readFileSync(manifestFile, "utf8")));
  const reason = "Helm was never looked for: run `node scripts/helm-tools.mjs`";
  return { missing: { helm3: reason, helm4: reason, schemas: reason } };
}

function isPipeline(): boolean {
  const value = process.env["CI"];
  return value !== undefined && value !== "" && value !== "false" && value !== "0";
}
