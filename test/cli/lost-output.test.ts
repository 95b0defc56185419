// Output that nobody takes: a reader that closed the pipe, and a full disk. Real processes, because Node's streams are the subject.
import { spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatNodeFile } from "../../src/observe/node-file.ts";
import { emptyNamespace, fakeNode, serveFakeDaemon } from "../runtime/containerd/fake-daemon.ts";
import { digestOf, imageOf, nameOf, namespaceOf, nodeOf } from "../support/node-builder.ts";
import { createTempFolder, type TempFolder } from "../support/temp.ts";
import { buildBundle } from "./run-program.ts";

const program = join(import.meta.dirname, "../../dist/prunelet.js");

let folder: TempFolder;
let captured: string;

beforeAll(async () => {
  folder = createTempFolder();
  captured = join(folder.path, "node.json");
  const images = Array.from({ length: 30 }, (_, i) => imageOf(`image-${i}`));
  const names = images.map(({ target }, i) => nameOf(`docker.io/library/image-${i}:1`, target));
  writeFileSync(captured, formatNodeFile(nodeOf({ namespaces: [namespaceOf("k8s.io", { names, images })], pods: [] })));
  await buildBundle();
}, 60_000);

afterAll(() => {
  folder.remove();
});

/** Runs the program with a stdout (or stderr) whose reader is gone before it begins. */
function runUnread(args: readonly string[], unread: "stdout" | "stderr" = "stdout") {
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"], timeout: 15_000 });
  let other = "";
  child[unread].destroy();
  child[unread === "stdout" ? "stderr" : "stdout"].on("data", (chunk: Buffer) => {
    other += chunk;
  });
  return new Promise<{ code: number | null; other: string }>((resolve) => {
    child.once("close", (code) => resolve({ code, other }));
  });
}

/** Runs the program with a stdout or stderr that goes to this path. */
function runInto(path: string, args: readonly string[], which: "stdout" | "stderr" = "stdout") {
  const file = openSync(path, "w");
  const stdio = which === "stdout" ? (["ignore", file, "pipe"] as const) : (["ignore", "pipe", file] as const);
  try {
    return spawnSync(process.execPath, [program, ...args], { stdio: [...stdio], encoding: "utf8", timeout: 15_000 });
  } finally {
    closeSync(file);
  }
}

describe("a reader that closed the pipe", () => {
  it.each([
    ["plan as JSON", () => ["plan", "-o", "json", "--snapshot", captured]],
    ["images", () => ["images", "--snapshot", captured]],
    ["help", () => ["rmi", "--help"]],
    ["completion", () => ["completion", "bash"]],
  ])("ends %s quietly, with the code that a shell shows for SIGPIPE", async (_, args) => {
    expect(await runUnread(args())).toEqual({ code: 141, other: "" });
  });

  it("does not hide that the command failed", async () => {
    const { code, other } = await runUnread(["inspect", "image-1", "nothing", "--snapshot", captured]);

    expect([code, other]).toEqual([1, expect.stringContaining("No such image")]);
  });

  it("of stderr costs nothing but the messages", async () => {
    const { code, other } = await runUnread(["inspect", "image-1:1", "nothing", "--snapshot", captured], "stderr");

    expect([code, other]).toEqual([1, expect.stringContaining("image-1:1")]);
  });
});

describe("a removal whose output is lost", () => {
  it.each([
    ["prune", ["prune", "--yes"]],
    ["rmi", ["rmi", "r.example/a:1", "r.example/b:1", "r.example/c:1"]],
  ])("is finished all the same: %s", async (_, args) => {
    const socket = join(folder.path, "c.sock");
    const images = ["a", "b", "c"].map((name) => ({ name: `r.example/${name}:1`, target: digestOf(name) }));
    const node = fakeNode({ "k8s.io": { ...emptyNamespace(), images } });
    const daemon = await serveFakeDaemon(socket, node);
    const flags = ["--endpoint", `unix://${socket}`, "--pods", "none", "--audit-file", ""];

    const { code } = await runUnread([...args, ...flags]).finally(() => daemon.stop());

    expect([code, node.namespaces["k8s.io"]?.images]).toEqual([141, []]);
  });

  it.each(["json", "text"])("is finished when its log is on a full disk, too: %s", (format) => {
    const after = join(folder.path, "after.json");
    const config = join(folder.path, "log.yaml");
    writeFileSync(config, `log: {level: debug, format: ${format}}\npolicy: {unusedFor: "0", minAge: "0"}\n`);

    const { status } = runInto(
      "/dev/full",
      [...["prune", "--snapshot", captured, "--snapshot-out", after, "--config", config]],
      "stderr",
    );

    expect([status, JSON.parse(readFileSync(after, "utf8")).namespaces[0].names]).toEqual([0, []]);
  });
});

describe("a full disk", () => {
  it("is one line on stderr and exit code 1", () => {
    const { status, stderr } = runInto("/dev/full", ["plan", "--snapshot", captured]);

    expect(status).toBe(1);
    expect(stderr).toMatch(/^prunelet: stdout cannot be written: ENOSPC[^\n]*make room[^\n]*\n$/);
  });

  it("is noticed when only the first part found room", () => {
    const target = join(folder.path, "short.json");
    // A limit of the shell for files that are written, in blocks of 512 bytes or of 1 KiB.
    const line = `ulimit -f 8; exec "$0" "$@" > ${target}`;
    const args = ["-c", line, process.execPath, program, "plan", "-o", "json", "--snapshot", captured];

    const { status, stderr } = spawnSync("sh", args, { encoding: "utf8", timeout: 15_000 });

    expect([status, stderr]).toEqual([1, expect.stringMatching(/^prunelet: stdout cannot be written: EFBIG/)]);
    expect(statSync(target).size).toBeGreaterThan(0);
  });
});
