// The state file: survives restarts, is never half written, and never trusted blindly.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { emptyHistory, type History } from "../../src/decide/history.ts";
import { fromHistoryDocument, toHistoryDocument } from "../../src/observe/history-document.ts";
import { HistoryFileError, readHistoryFile, setAside, writeHistoryFile } from "../../src/observe/history-file.ts";
import { digestOf, sightingOf } from "../support/node-builder.ts";
import { createTempFolder, type TempFolder } from "../support/temp.ts";

const history: History = {
  unknown: "just-used",
  namespaces: new Map([
    [
      "k8s.io",
      {
        images: new Map([[digestOf("a"), sightingOf({ firstSeen: 1, lastUsed: 2 })]]),
        names: new Map([["r.example/a:1", sightingOf({ firstSeen: 3, lastUsed: 4 })]]),
      },
    ],
  ]),
};

describe("the state file", () => {
  let folder: TempFolder;
  let path: string;

  beforeEach(() => {
    folder = createTempFolder();
    path = join(folder.path, "deep/er/state.json");
  });

  afterEach(() => {
    folder.remove();
  });

  it("gives back what was written, and makes its folder when there is none", () => {
    writeHistoryFile(path, history);

    expect(readHistoryFile(path)).toEqual(history);
  });

  it("is readable by nobody else, and leaves no draft behind", () => {
    writeHistoryFile(path, history);

    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder.path, "deep/er"))).toEqual(["state.json"]);
  });

  it("is replaced as a whole: a reader of the old file keeps the old content", () => {
    writeHistoryFile(path, emptyHistory("just-used"));
    const before = statSync(path).ino;

    writeHistoryFile(path, history);

    expect(statSync(path).ino).not.toBe(before);
  });

  it("does not exist before the first round, which is no error", () => {
    expect(readHistoryFile(path)).toBeUndefined();
  });

  it.each([
    ["nothing", ""],
    ["half a file", '{"version":1,"namespaces":{"k8s.io":{"ima'],
    ["another program's file", '{"hello":"world"}'],
    ["version 2 without its sum", '{"version":2,"namespaces":[]}'],
    ["no version that ever was", '{"version":0,"namespaces":{}}'],
    ["a wrong entry", '{"version":1,"namespaces":{"k8s.io":{"images":{"a":[1]},"names":{}}}}'],
    ["bytes", "\u0000\u0001\u0002"],
  ])("that holds %s is corrupt, and stays as it is", (_, text) => {
    mkdirSync(join(folder.path, "deep/er"), { recursive: true });
    writeFileSync(path, text);

    const error = caught(() => readHistoryFile(path));

    expect(error.kind).toBe("corrupt");
    expect(error.message).toContain("move it away");
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  it("that a newer version wrote is named as such, and stays as it is", () => {
    mkdirSync(join(folder.path, "deep/er"), { recursive: true });
    const text = JSON.stringify({ version: 3, anything: {} });
    writeFileSync(path, text);

    const error = caught(() => readHistoryFile(path));

    expect(error.kind).toBe("newer");
    expect(error.message).toMatch(/newer version of prunelet: use that one, or move the file away/);
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  it("of version 1 is read, and what was used after its first sight counts as used once", () => {
    mkdirSync(join(folder.path, "deep/er"), { recursive: true });
    const images = { [digestOf("a")]: [1, 2] };
    writeFileSync(
      path,
      JSON.stringify({ version: 1, namespaces: { "k8s.io": { images, names: { "r/a:1": [3, 3] } } } }),
    );

    const found = readHistoryFile(path)?.namespaces.get("k8s.io");

    expect(found?.images.get(digestOf("a"))).toEqual(sightingOf({ firstSeen: 1, lastUsed: 2, timesUsed: 1 }));
    expect(found?.names.get("r/a:1")).toEqual(sightingOf({ firstSeen: 3, lastUsed: 3, timesUsed: 0 }));
  });

  it("that is a named pipe is refused at once, and is not moved away", () => {
    spawnSync("mkfifo", [join(folder.path, "pipe")]);

    expect(caught(() => readHistoryFile(join(folder.path, "pipe"))).message).toContain("it is no regular file");
    expect(caught(() => setAside(join(folder.path, "pipe"), "unreadable", 0)).kind).toBe("unwritable");
  });

  it("is set aside under a name that tells when, and nothing of it is lost", () => {
    writeHistoryFile(path, history);
    const before = readFileSync(path, "utf8");

    const aside = setAside(path, "corrupt", Date.UTC(2026, 0, 2, 3, 4, 5));

    expect(aside).toBe(`${path}.corrupt-2026-01-02T03-04-05-000Z`);
    expect(existsSync(path)).toBe(false);
    expect(readFileSync(aside, "utf8")).toBe(before);
  });

  it("that is a folder cannot be read or written", () => {
    mkdirSync(path, { recursive: true });

    expect(caught(() => readHistoryFile(path)).kind).toBe("unreadable");
    expect(caught(() => writeHistoryFile(path, history)).kind).toBe("unwritable");
    expect(readdirSync(join(folder.path, "deep/er"))).toEqual(["state.json"]);
  });

  it("below a file cannot be written, and the error names the mend", () => {
    writeFileSync(join(folder.path, "deep"), "a file");

    const error = caught(() => writeHistoryFile(path, history));

    expect(error.kind).toBe("unwritable");
    expect(error.message).toMatch(/cannot write the state file .*: .*(stateFile|check the path)/);
  });

  // Root may write everywhere, so only other users see the refusal.
  it.skipIf(process.getuid?.() === 0)("in a folder without write permission cannot be written", () => {
    chmodSync(folder.path, 0o500);

    const error = caught(() => writeHistoryFile(join(folder.path, "state.json"), history));

    chmodSync(folder.path, 0o700);
    expect(error.message).toContain("give prunelet write access");
  });
});

describe("a history as plain data", () => {
  it("survives the way through JSON", () => {
    const document = JSON.parse(JSON.stringify(toHistoryDocument(history)));

    expect(fromHistoryDocument(document, "just-used")).toEqual(history);
  });

  it.each([undefined, null, 1, "x", [], {}])("is not %j", (document) => {
    expect(fromHistoryDocument(document, "just-used")).toBeUndefined();
  });
});

function caught(work: () => unknown): HistoryFileError {
  try {
    work();
  } catch (error) {
    if (error instanceof HistoryFileError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
