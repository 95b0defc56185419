// Checks objects against the schemas of those who define them: Kubernetes' OpenAPI documents and the CRDs of the operators.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import { parseAllDocuments } from "yaml";
import { at, type KubernetesObject, toolPath } from "./helm.ts";

type Schema = Record<string, unknown>;
interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

const validators = new Map<string, ValidateFunction>();

/** What is wrong with an object, each problem with its path. Unknown fields are wrong, which the API server would only warn about. */
export function problemsOf(object: KubernetesObject): readonly string[] {
  if (validators.size === 0) load(toolPath("schemas"));
  const { apiVersion, kind } = object;
  const validate = validators.get(`${apiVersion}/${kind}`);
  if (validate === undefined) return [`no schema for ${apiVersion} ${kind}`];
  if (validate(object)) return [];
  return (validate.errors ?? []).map(({ instancePath, message, params }) => {
    return `${kind}${instancePath} ${message} ${JSON.stringify(params)}`;
  });
}

function load(folder: string): void {
  for (const file of readdirSync(folder)) {
    const text = readFileSync(join(folder, file), "utf8");
    if (file.endsWith(".json")) addOpenApi(file, JSON.parse(text) as Schema);
    else for (const document of parseAllDocuments(text)) addCrd(document.toJS() as Schema);
  }
}

function addOpenApi(file: string, document: Schema): void {
  const ajv = newAjv();
  const schemas = at(document, "components", "schemas") as Record<string, Schema>;
  ajv.addSchema({ $id: file, components: { schemas: strict(schemas) } });
  for (const [name, schema] of Object.entries(schemas)) {
    const kinds = (schema["x-kubernetes-group-version-kind"] ?? []) as readonly GroupVersionKind[];
    const [only] = kinds;
    if (only === undefined || kinds.length > 1) continue;
    const validate = ajv.compile({ $ref: `${file}#/components/schemas/${name}` });
    validators.set(`${only.group === "" ? "" : `${only.group}/`}${only.version}/${only.kind}`, validate);
  }
}

function addCrd(crd: Schema): void {
  const versions = at(crd, "spec", "versions") as readonly Schema[];
  for (const version of versions) {
    const schema = strict(at(version, "schema", "openAPIV3Schema")) as Schema;
    // The API server checks the metadata itself.
    const properties = { ...(schema["properties"] as Schema), metadata: { type: "object" } };
    const key = `${at(crd, "spec", "group")}/${version["name"]}/${at(crd, "spec", "names", "kind")}`;
    validators.set(key, newAjv().compile({ ...schema, properties }));
  }
}

function newAjv(): Ajv {
  return new Ajv({ strict: false, allErrors: true, validateFormats: false, unicodeRegExp: false, logger: false });
}

/** The same schema, in which an object has no other fields than those that are described. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== "object" || schema === null) return schema;
  const entries = Object.entries(schema)
    .filter(([key, value]) => !(key === "pattern" && isForeign(value)))
    .map(([key, value]) => [key, strict(value)] as const);
  const isOpen = ["additionalProperties", "x-kubernetes-preserve-unknown-fields"].some((key) => key in schema);
  const closes = "properties" in schema && at(schema, "type") === "object" && !isOpen;
  return { ...Object.fromEntries(entries), ...(closes ? { additionalProperties: false } : {}) };
}

/** Patterns with Go's switch for letter case, which JavaScript has no word for. */
function isForeign(pattern: unknown): boolean {
  return typeof pattern === "string" && pattern.includes("(?i)");
}
