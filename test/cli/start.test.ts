// How the bundled program starts: with what it needs for the command and nothing else, so that a command begins soon.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTempFolder, type TempFolder } from "../support/temp.ts";
import { buildBundle } from "./run-program.ts";

const bundle = join(import.meta.dirname, "../../dist/prunelet.js");
const nowhere = "/dev/null/nowhere";

let folder: TempFolder;

beforeAll(async () => {
  folder = createTempFolder();
  await buildBundle();
}, 60_000);

afterAll(() => {
  folder.remove();
});

/** A copy of the program that says on stderr which of its modules it evaluates, and in the end which of Node's own were loaded. */
function talkativeCopy(): string {
  const path = join(folder.path, "talkative.mjs");
  const [firstLine = "", ...rest] = readFileSync(bundle, "utf8").split("\n");
  const text = rest
    .join("\n")
    .replaceAll(
      /__getOwnPropNames\((fn|cb)\)\[0\]/g,
      (name) => `(process.stderr.write("evaluates "+${name}+"\\n"),${name})`,
    );
  const atEnd = 'process.on("exit", () => process.stderr.write(process.moduleLoadList.join("\\n")));';
  writeFileSync(path, `${firstLine}\n${atEnd}\n${text}`);
  return path;
}

test("prune on containerd loads nothing of Kubernetes, of other runtimes and of the web's fetch", () => {
  const args = ["prune", "--yes", "--runtime", "containerd", "--endpoint", `unix://${nowhere}`, "--pods", "none"];

  const { stderr } = spawnSync(process.execPath, [talkativeCopy(), ...args], {
    encoding: "utf8",
    env: { HOME: nowhere },
  });

  expect(stderr).toContain("evaluates src/runtime/containerd/containerd-runtime.ts");
  expect(stderr).toContain("NativeModule http2");
  const unneeded =
    /kubernetes\/(kubeconfig|pods|watch)|client-node|runtime\/(docker|embedded)\/|prom-client|pino-pretty|undici/;
  expect(stderr.split("\n").filter((line) => unneeded.test(line))).toEqual([]);
});
