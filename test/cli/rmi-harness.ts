// Runs `prunelet rmi` within the test's process on a node file, and tells what it printed and left.
import { readFileSync, writeFileSync } from "node:fs";
import { vi } from "vitest";
import { main } from "../../src/cli/program.ts";
import type { RemovalsReport } from "../../src/report/removal-report.ts";
import { createTempFolder } from "../support/temp.ts";

export interface RmiRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The names that are left, by namespace, in byte order. */
  readonly left: Readonly<Record<string, readonly string[]>>;
  report(): RemovalsReport;
}

interface FileAfterwards {
  readonly namespaces: readonly { readonly name: string; readonly names: readonly { readonly name: string }[] }[];
}

/** `node` is the value of a node file; `args` come after `rmi`. */
export async function runRmi(node: unknown, ...args: readonly string[]): Promise<RmiRun> {
  const folder = createTempFolder();
  const out = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((stream) =>
    vi.spyOn(process[stream], "write").mockImplementation((text) => {
      out[stream] += String(text);
      return true;
    }),
  );
  try {
    const [before, after] = [`${folder.path}/before.json`, `${folder.path}/after.json`];
    writeFileSync(before, JSON.stringify(node));
    writeFileSync(after, JSON.stringify(node));
    const code = await main(["rmi", "--snapshot", before, "--snapshot-out", after, ...args]);
    return { code, ...out, left: namesIn(after), report: () => JSON.parse(out.stdout) as RemovalsReport };
  } finally {
    for (const spy of spies) spy.mockRestore();
    folder.remove();
  }
}

function namesIn(path: string): Record<string, readonly string[]> {
  const { namespaces } = JSON.parse(readFileSync(path, "utf8")) as FileAfterwards;
  return Object.fromEntries(
    namespaces.map(({ name = "default", names = [] }) => [name, names.map((n) => n.name).sort()]),
  );
}
