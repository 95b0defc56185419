// A file that is watched: written, replaced, mounted anew as the kubelet does it, gone and back.
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, onTestFinished } from "vitest";
import { watchFile } from "../../src/config/watch-file.ts";
import { createTempFolder, type TempFolder } from "../support/temp.ts";
import { waitFor } from "../support/wait.ts";

let folder: TempFolder;

beforeEach(() => {
  folder = createTempFolder();
});

afterEach(() => {
  folder.remove();
});

/** Watches a file; gives how often it changed. */
function watched(path: string, pollMs = 60_000): () => number {
  let changes = 0;
  onTestFinished(
    watchFile({
      path,
      pollMs,
      onChange: () => {
        changes += 1;
      },
    }),
  );
  return () => changes;
}

/** A ConfigMap as the kubelet mounts it: the key is a link through `..data` into a folder with a date. */
function mount(version: string, text: string): void {
  const data = join(folder.path, `..${version}`);
  mkdirSync(data);
  writeFileSync(join(data, "prunelet.yaml"), text);
  symlinkSync(`..${version}`, join(folder.path, "..data_tmp"));
  renameSync(join(folder.path, "..data_tmp"), join(folder.path, "..data"));
}

it("tells when a mounted ConfigMap is swapped for a new one", async () => {
  mount("one", "interval: 1m\n");
  const path = join(folder.path, "prunelet.yaml");
  symlinkSync("..data/prunelet.yaml", path);
  const changes = watched(path);

  mount("two", "interval: 2m\n");

  await waitFor("the change", () => changes() === 1);
});

it("tells when the file is written, and when another one takes its place", async () => {
  const path = join(folder.path, "config.yaml");
  writeFileSync(path, "a: 1\n");
  const changes = watched(path);

  writeFileSync(path, "a: 2\n");
  await waitFor("the first change", () => changes() === 1);
  writeFileSync(`${path}.new`, "a: 3\n");
  renameSync(`${path}.new`, path);

  await waitFor("the second change", () => changes() === 2);
});

it("tells once when the file goes and once when it is back", async () => {
  const path = join(folder.path, "config.yaml");
  writeFileSync(path, "a: 1\n");
  const changes = watched(path);

  rmSync(path);
  await waitFor("it to be missed", () => changes() === 1);
  writeFileSync(path, "a: 1\n");

  await waitFor("it to be back", () => changes() === 2);
});

it("says nothing of a swap that leaves the content as it was", async () => {
  mount("one", "a: 1\n");
  const path = join(folder.path, "prunelet.yaml");
  symlinkSync("..data/prunelet.yaml", path);
  const changes = watched(path);

  mount("two", "a: 1\n");
  mount("three", "a: 2\n");
  await waitFor("the change", () => changes() > 0);

  expect(changes()).toBe(1);
});

it("looks from time to time where the folder cannot be watched", async () => {
  const path = join(folder.path, "later", "config.yaml");
  const changes = watched(path, 20);

  mkdirSync(join(folder.path, "later"));
  writeFileSync(path, "a: 1\n");

  await waitFor("the change", () => changes() === 1);
});
