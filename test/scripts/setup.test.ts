// Set-up as every command of the project begins with it: dependencies are installed when they are missing, and only then.
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createTempFolder, type TempFolder } from "../support/temp.ts";

const locked = {
  "": { name: "project" },
  "node_modules/a": { version: "1.0.0", integrity: "sha512-a" },
  "node_modules/elsewhere": { version: "1.0.0", integrity: "sha512-e", optional: true },
};
const { "node_modules/a": installed } = locked;

let folder: TempFolder;

beforeEach(() => {
  folder = createTempFolder();
  mkdirSync(join(folder.path, "scripts"));
  copyFileSync(join(import.meta.dirname, "../../scripts/setup.mjs"), join(folder.path, "scripts/setup.mjs"));
  writeFileSync(join(folder.path, "package-lock.json"), JSON.stringify({ packages: locked }));
});

afterEach(() => {
  folder.remove();
});

/** Leaves what `npm ci` leaves. */
function pretendInstalled(packages: object): void {
  mkdirSync(join(folder.path, "node_modules/.bin"), { recursive: true });
  writeFileSync(join(folder.path, "node_modules/.bin/node"), "");
  writeFileSync(join(folder.path, "node_modules/.package-lock.json"), JSON.stringify({ packages }));
}

/** Sets up with an npm that only leaves word that it was asked. */
function setUp() {
  const bin = join(folder.path, "bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "npm"), `#!/bin/sh\ntouch ${folder.path}/asked; exit 1\n`);
  chmodSync(join(bin, "npm"), 0o755);
  const script = `import { setUp } from ${JSON.stringify(join(folder.path, "scripts/setup.mjs"))}; setUp();`;
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    env: { PATH: `${bin}:${process.env["PATH"]}` },
  });
  return { status, stderr, installs: existsSync(join(folder.path, "asked")) };
}

test("an installed tree is taken as it is", () => {
  pretendInstalled({ "node_modules/a": installed });

  expect(setUp()).toEqual({ status: 0, stderr: "", installs: false });
});

test.each([
  ["nothing", undefined],
  ["another version", { "node_modules/a": { ...installed, version: "0.9.0" } }],
  ["other content", { "node_modules/a": { ...installed, integrity: "sha512-b" } }],
  ["too little", {}],
  ["too much", { "node_modules/a": installed, "node_modules/b": installed }],
])("dependencies are installed where there is %s", (_, packages) => {
  if (packages !== undefined) pretendInstalled(packages);

  expect(setUp()).toMatchObject({ installs: true });
});

test("a folder behind a link is not emptied", () => {
  pretendInstalled({});
  renameSync(join(folder.path, "node_modules"), join(folder.path, "shared"));
  symlinkSync("shared", join(folder.path, "node_modules"));

  const { status, stderr, installs } = setUp();

  expect({ status, installs }).toEqual({ status: 1, installs: false });
  expect(stderr).toMatch(/^prunelet: node_modules is a link[^\n]+\n$/);
});
