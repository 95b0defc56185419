// The audit file: nothing is glued, nothing is written twice, nothing grows without bounds, whatever the disk does.
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AuditFile, type AuditFileSettings, type AuditTrouble, mostWaiting } from "../../src/report/audit-file.ts";
import { auditFiles, rotateIfFull } from "../../src/report/audit-rotation.ts";
import { createTempFolder, type TempFolder } from "../support/temp.ts";

describe("the audit file", () => {
  let folder: TempFolder;
  let path: string;

  beforeEach(() => {
    folder = createTempFolder();
    path = join(folder.path, "deep/audit.jsonl");
  });

  afterEach(() => {
    folder.remove();
  });

  const linesOf = (file = path) => readFileSync(file, "utf8").split("\n").filter(Boolean);

  it("is made with its folder, and readable by nobody else", async () => {
    await open().file.append(["one"]);

    expect(linesOf()).toEqual(["one"]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("holds lines of several writers in the order in which each of them wrote", async () => {
    const writers = ["a", "b", "c"].map((name) => ({ name, file: open().file }));

    await Promise.all(
      writers.flatMap(({ name, file }) => Array.from({ length: 50 }, (_, i) => file.append([`${name}${i}`]))),
    );

    for (const { name } of writers) {
      const own = linesOf().filter((line) => line.startsWith(name));
      expect(own).toEqual(Array.from({ length: 50 }, (_, i) => `${name}${i}`));
    }
  });

  it("begins a new line after one that a crash has torn", async () => {
    mkdirSync(join(folder.path, "deep"));
    writeFileSync(path, '{"half');

    await open().file.append(["whole"]);

    expect(linesOf()).toEqual(['{"half', "whole"]);
  });

  it("is not touched when it is switched off", async () => {
    await open({ file: "" }).file.append(["one"]);

    expect(existsSync(join(folder.path, "deep"))).toBe(false);
  });

  it("is put aside when it is full, and so many old ones are kept", async () => {
    const { file } = open({ maxSize: 10, keep: 2 });

    for (const line of ["first line", "second line", "third line", "fourth line", "5"]) await file.append([line]);

    expect(await auditFiles(path)).toEqual([path, `${path}.1`, `${path}.2`]);
    expect([linesOf(), linesOf(`${path}.1`), linesOf(`${path}.2`)]).toEqual([["5"], ["fourth line"], ["third line"]]);
  });

  it("keeps none of the old ones when it is told so, and fewer when it is told later", async () => {
    const settings = { maxSize: 5, keep: 3 };
    const { file } = open(settings);
    for (const line of ["line 1", "line 2", "line 3"]) await file.append([line]);

    settings.keep = 1;
    await file.append(["line 4"]);
    const one = await auditFiles(path);
    settings.keep = 0;
    await file.append(["line 5"]);

    expect(one).toEqual([`${path}.1`]);
    expect(await auditFiles(path)).toEqual([]);
  });

  it("grows, and says so once, while it cannot be put aside", async () => {
    const { file, troubles } = open({ maxSize: 3, keep: 1 });
    mkdirSync(join(`${path}.1`, "in the way"), { recursive: true });

    for (const line of ["one", "two", "three"]) await file.append([line]);
    rmdirSync(join(`${path}.1`, "in the way"));
    rmdirSync(`${path}.1`);
    await file.append(["four"]);

    expect(linesOf(`${path}.1`)).toEqual(["one", "two", "three", "four"]);
    expect(troubles).toEqual([
      { kind: "failed", first: true, message: expect.stringMatching(/put the full audit file aside.*EISDIR/) },
      { kind: "failed", first: false, message: expect.any(String) },
      { kind: "failed", first: false, message: expect.any(String) },
    ]);
  });

  it("is left to whoever puts it aside already", async () => {
    await open().file.append(["a long line"]);
    writeFileSync(`${path}.lock`, "");

    await rotateIfFull({ file: path, maxSize: 1, keep: 1 });

    expect(readdirSync(join(folder.path, "deep")).sort()).toEqual(["audit.jsonl", "audit.jsonl.lock"]);
  });

  it("takes what could not be written as soon as it can be, each line once", async () => {
    const { file, troubles } = open();
    mkdirSync(path, { recursive: true });
    await file.append(["one"]);
    await file.append(["two"]);
    rmdirSync(path);

    await file.append(["three"]);

    expect(linesOf()).toEqual(["one", "two", "three"]);
    expect(troubles).toEqual([
      {
        kind: "failed",
        first: true,
        message: expect.stringMatching(/cannot write the audit file .* \(EISDIR\): it is a folder/),
      },
      { kind: "failed", first: false, message: expect.any(String) },
      { kind: "mended", lost: 0 },
    ]);
  });

  it("keeps no more than a MiB in memory, and says how many lines are missing", async () => {
    const { file, troubles } = open();
    mkdirSync(path, { recursive: true });
    const line = "x".repeat(1023);
    for (let i = 0; i < 1024 + 10; i++) await file.append([line]);
    rmdirSync(path);

    await file.flush();

    expect(linesOf()[0]).toBe("10 lines lost");
    expect(linesOf().length).toBe(1 + mostWaiting / 1024);
    expect(troubles.at(-1)).toEqual({ kind: "mended", lost: 10 });
  });

  it("says how many lines are missing when they come faster than the disk takes them", async () => {
    const { file, troubles } = open();
    const line = "x".repeat(1023);

    const appended = Array.from({ length: 2_048 }, () => file.append([line]));
    await Promise.all(appended);
    await file.flush();

    const lost = 2_048 - linesOf().filter((written) => written === line).length;
    expect(lost).toBeGreaterThan(0);
    expect(troubles).toEqual([{ kind: "mended", lost }]);
  });

  it("that is a device is refused", async () => {
    const { file, troubles } = open({ file: "/dev/null" });

    await file.append(["one"]);

    expect(troubles).toEqual([expect.objectContaining({ message: expect.stringContaining("no regular file") })]);
  });

  it("goes on in a new file when somebody moves it away", async () => {
    const { file } = open();
    await file.append(["one"]);
    appendFileSync(`${path}.elsewhere`, readFileSync(path));
    writeFileSync(path, "");

    await file.append(["two"]);

    expect(linesOf()).toEqual(["two"]);
  });

  function open(more: Partial<AuditFileSettings> = {}) {
    const troubles: AuditTrouble[] = [];
    const file = new AuditFile({
      settings: () => ({ file: path, maxSize: 10 ** 7, keep: 3, ...more }),
      lostLine: (lines) => `${lines} lines lost`,
      onTrouble: (trouble) => troubles.push(trouble),
    });
    return { file, troubles };
  }
});
