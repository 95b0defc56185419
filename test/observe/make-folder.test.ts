// Folders for the state file and the audit: made when they are missing, refused when they cannot be made, and never tried for ever.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeFolder, makeFolderNow } from "../../src/observe/make-folder.ts";
import { createTempFolder, type TempFolder } from "../support/temp.ts";

let folder: TempFolder;

beforeEach(() => {
  folder = createTempFolder();
});

afterEach(() => {
  folder.remove();
});

describe.each([
  ["at once", async (path: string) => makeFolderNow(path)],
  ["without waiting", makeFolder],
])("a folder that is made %s", (_, make) => {
  it("comes with those above it, and may be there already", async () => {
    const path = join(folder.path, "a/b/c");

    await make(path);
    await make(path);

    expect(statSync(path).isDirectory()).toBe(true);
  });

  it("is refused below a file", async () => {
    writeFileSync(join(folder.path, "file"), "");

    await expect(make(join(folder.path, "file/a"))).rejects.toMatchObject({ code: "ENOTDIR" });
  });
});

it.runIf(process.platform === "linux").each(["makeFolderNow", "makeFolder"])(
  "%s is refused where the kernel makes no folders",
  (make) => {
    // A process of its own: what is tried for ever would stop the tests, too.
    const file = join(import.meta.dirname, "../../src/observe/make-folder.ts");
    const script = `const { ${make} } = await import(${JSON.stringify(file)});
      try { await ${make}("/proc/nowhere/deep"); } catch (error) { console.log(error.code); }`;

    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
      timeout: 10_000,
    });

    expect(stdout).toBe("ENOENT\n");
  },
);

it("may be made by somebody else meanwhile", async () => {
  const path = join(folder.path, "busy");
  const tries = Array.from({ length: 50 }, () => makeFolder(path));
  mkdirSync(path, { recursive: true });

  await Promise.all(tries);

  rmdirSync(path);
});
