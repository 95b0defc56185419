// The team's prune scenarios through the whole program: node file in, JSON and node file out.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTempFolder, type TempFolder } from "../support/temp.ts";
import vectors from "../vectors/prune-containerd.json" with { type: "json" };
import { runHere } from "./run-program.ts";

type Vector = (typeof vectors)[number];

describe("prune on a captured node", () => {
  let folder: TempFolder;

  beforeAll(() => {
    folder = createTempFolder();
  });

  afterAll(() => {
    folder.remove();
  });

  it.each(vectors.map((vector) => [`${vector.id}: ${vector.title}`, vector] as const))("%s", async (_, vector) => {
    const before = join(folder.path, `${vector.id}.json`);
    const after = join(folder.path, `${vector.id}-after.json`);
    writeFileSync(before, JSON.stringify(nodeFileOf(vector)));
    const { strict } = vector;
    const survivors = new Set<string>(strict.survivors);

    const { code, stdout } = await runHere([
      "prune",
      "--snapshot",
      before,
      "--snapshot-out",
      after,
      "-o",
      "json",
      ...flagsOf(vector),
    ]);

    const report = JSON.parse(stdout);
    const names = vector.records.map(({ name }) => name);
    expect(code).toBe(0);
    expect(report.untagged.toSorted()).toEqual(names.filter((name) => !survivors.has(name)).sort());
    expect(report.deleted.toSorted()).toEqual(strict.deleted.toSorted());
    expect(report.kept.map(({ name }: { name: string }) => name).sort()).toEqual([...survivors].sort());
    expect(namesIn(after)).toEqual([...survivors].sort());
  });
});

function flagsOf(vector: Vector): string[] {
  const rejected = vector.records.filter(({ filterAccepts }) => !filterAccepts);
  const keep = rejected.flatMap(({ name }) => ["--keep", `/^${name.replaceAll("/", "\\/")}$/`]);
  return vector.danglingOnly ? ["--dangling", ...keep] : keep;
}

function nodeFileOf({ records, containers, configToTarget }: Vector) {
  const configs = Object.entries<string>(configToTarget);
  const targets = [...new Set(records.map(({ target }) => target))];
  const namespace = {
    name: "default",
    names: records.map(({ name, target }) => ({ name, target })),
    images: targets.map((target) => {
      return { target, digests: configs.filter(([, of]) => of === target).map(([config]) => config) };
    }),
    containers: containers.map(({ spelling, resolved, running, imageMount }) => ({
      image: spelling,
      imageId: resolved,
      state: running ? "running" : "exited",
      imageMounts: imageMount === null ? [] : [imageMount],
    })),
  };
  return { namespaces: [namespace] };
}

function namesIn(path: string): string[] {
  const { namespaces } = JSON.parse(readFileSync(path, "utf8"));
  return namespaces.flatMap(({ names }: { names: { name: string }[] }) => names.map(({ name }) => name)).sort();
}
