// The agent's state file at the start: whatever is wrong with it is said in one line, costs nothing but memory, and is not lost.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStateFile } from "../../src/cli/state-file.ts";
import type { History } from "../../src/decide/history.ts";
import { readHistoryFile, writeHistoryFile } from "../../src/observe/history-file.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { sightingOf } from "../support/node-builder.ts";
import { createTempFolder, type TempFolder } from "../support/temp.ts";

const known: History = {
  unknown: "just-used",
  namespaces: new Map([["k8s.io", { images: new Map(), names: new Map([["a", sightingOf({ firstSeen: 1 })]]) }]]),
};

describe("the agent's state file", () => {
  let folder: TempFolder;
  let path: string;

  beforeEach(() => {
    folder = createTempFolder();
    path = join(folder.path, "state.json");
  });

  afterEach(() => {
    folder.remove();
  });

  it("is made when there is none, without a word", () => {
    const { file, warnings } = open(path);

    expect(file.history.namespaces.size).toBe(0);
    expect(readHistoryFile(path)).toEqual(file.history);
    expect(warnings).toEqual([]);
  });

  it("gives back what is known, and takes what is to be known", () => {
    writeHistoryFile(path, known);
    const { file } = open(path);
    const before = file.history;
    const later = { ...known, lastLook: 7 };

    file.remember(later);
    file.close();

    expect(before).toEqual(known);
    expect(readHistoryFile(path)).toEqual(later);
  });

  it("of an older version is brought up to date at once", () => {
    writeFileSync(path, JSON.stringify({ version: 1, namespaces: { "k8s.io": { images: {}, names: { a: [1, 1] } } } }));

    const { file, warnings } = open(path);

    expect(file.history).toEqual(known);
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ version: 2 });
    expect(warnings).toEqual([]);
  });

  it("that is corrupt is kept aside under a name that says so, and everything counts as just used", () => {
    writeFileSync(path, "{ half");

    const { file, warnings } = open(path);

    const aside = readdirSync(folder.path).find((name) => name.startsWith("state.json.corrupt-"));
    expect(readFileSync(join(folder.path, aside ?? ""), "utf8")).toBe("{ half");
    expect(file.history).toEqual({ unknown: "just-used", namespaces: new Map() });
    expect(warnings).toEqual([
      `the state file was corrupt and is now ${join(folder.path, aside ?? "")}: everything counts as just used`,
    ]);
    expect(readHistoryFile(path)).toEqual(file.history);
  });

  it("of a newer version is never written over", () => {
    const text = JSON.stringify({ version: 3 });
    writeFileSync(path, text);
    const { file, warnings } = open(path);

    file.remember(known);
    file.close();

    expect(readFileSync(path, "utf8")).toBe(text);
    expect(file.history.namespaces.size).toBe(0);
    expect(warnings).toEqual([
      expect.stringMatching(/newer version .* left as it is, and everything counts as just used/),
    ]);
  });

  it("that is a folder stays one, and the agent goes on from memory", () => {
    mkdirSync(path);

    const { file, warnings } = open(path);
    file.remember(known);
    file.close();

    expect(readdirSync(folder.path)).toEqual(["state.json"]);
    expect(warnings).toEqual([expect.stringMatching(/cannot read the state file .* \(EISDIR\).*left as it is/)]);
  });

  it("that cannot be written is said once", async () => {
    writeFileSync(join(folder.path, "file"), "");
    const { file, warnings, clock } = open(join(folder.path, "file", "state.json"));

    file.remember(known);
    clock.advance(600_000);
    await new Promise(setImmediate);
    file.remember({ ...known, namespaces: new Map() });
    file.close();

    expect(warnings).toEqual([expect.stringMatching(/the state file .* \(ENOTDIR\)/)]);
  });
});

function open(path: string) {
  const clock = createFakeClock();
  const warnings: string[] = [];
  const file = openStateFile(path, clock, (event) => {
    if (event.kind === "notice" && event.level === "warn") warnings.push(event.message);
  });
  return { file, warnings, clock };
}
