// What the chart holds that comes from elsewhere is current, and every value is described.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { at, chartFolder, describeHelm, runHelm, type Values } from "./helm.ts";

test("the chart's schema, README and versions are what the sources say", () => {
  const script = join(chartFolder, "../../scripts/generate-chart.mjs");

  const check = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });

  expect(check.stderr).toBe("");
  expect(check.status).toBe(0);
});

test("every value has a place in the schema, and the schema has a value for each", () => {
  const values: unknown = parse(readFileSync(join(chartFolder, "values.yaml"), "utf8"));
  const schema: unknown = JSON.parse(readFileSync(join(chartFolder, "values.schema.json"), "utf8"));

  const missing = { inSchema: [] as string[], inValues: [] as string[] };
  compare(values, schema, "", missing);

  expect(missing.inSchema).toEqual([]);
  // Helm's own, for charts above this one; and what only few pods need.
  const rare = [
    "global",
    "resources.claims",
    ...["level", "role", "type", "user"].map((key) => `seLinuxOptions.${key}`),
  ];
  expect(missing.inValues.sort()).toEqual(rare);
});

// Helm 3 asks the cluster for its version before it shows notes.
describeHelm("the notes", ["helm4"], () => {
  test("show how to see the first plan, and warn of an image that nobody named", async () => {
    const notes = await notesFor({});
    const named = await notesFor({ image: { repository: "registry.example/prunelet" } });

    expect(notes).toContain("kubectl --namespace ops exec daemonset/x-prunelet -- prunelet plan");
    expect(notes).toContain("WARNING: image.repository is not set");
    expect(named).not.toContain("WARNING");
  });

  test("say what CRI cannot do, where that is all there is", async () => {
    expect(await notesFor({ runtime: { preset: "crio" } })).toContain("reason runtime-cannot-untag");
    expect(await notesFor({ runtime: { preset: "docker" } })).not.toContain("runtime-cannot-untag");
  });
});

function notesFor(values: Values): Promise<string> {
  return runHelm("helm4", ["install", "x", chartFolder, "--namespace", "ops", "--dry-run=client"], values);
}

function compare(values: unknown, schema: unknown, path: string, missing: Record<"inSchema" | "inValues", string[]>) {
  const properties = (at(schema, "properties") ?? {}) as Record<string, unknown>;
  // The part below `config` is the agent's: an untouched chart says nothing there.
  if (path === "config" || Object.keys(properties).length === 0) return;
  for (const key of Object.keys(values as object)) {
    const here = path === "" ? key : `${path}.${key}`;
    if (key in properties) compare(at(values, key), properties[key], here, missing);
    else missing.inSchema.push(here);
  }
  for (const key of Object.keys(properties)) {
    if (!(key in (values as object))) missing.inValues.push(path === "" ? key : `${path}.${key}`);
  }
}
