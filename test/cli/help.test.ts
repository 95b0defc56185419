// Help and the command line's own answers: every command explains itself, and wrong usage says what is right.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { longName } from "../../src/cli/command-spec.ts";
import { commandTable } from "../../src/cli/command-table.ts";
import { runHere } from "./run-program.ts";

describe("help", () => {
  test("lists every command with what it does", async () => {
    const { code, stdout } = await runHere(["--help"]);

    expect(code).toBe(0);
    for (const { name, summary } of commandTable) {
      expect(stdout).toContain(name);
      expect(flat(stdout)).toContain(flat(summary));
    }
  });

  test.each(commandTable.map((spec) => [spec.name, spec] as const))(
    "of %s shows its flags and examples",
    async (_, spec) => {
      const { code, stdout, stderr } = await runHere([spec.name, "--help"]);

      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      for (const flag of spec.flags.flatMap(({ flags }) => flags)) expect(stdout).toContain(longName(flag));
      for (const { line } of spec.examples) expect(stdout).toContain(line);
      expect(spec.examples.length).toBeGreaterThan(0);
    },
  );

  test("behind the word help is the same as behind --help", async () => {
    const word = await runHere(["help", "verify"]);
    const flag = await runHere(["verify", "--help"]);

    expect(word.stdout).toBe(flag.stdout);
  });
});

describe("wrong usage", () => {
  test.each([
    ["an unknown command", ["cleanup"], "unknown command"],
    ["an unknown flag", ["images", "--colour"], "unknown option"],
    ["a value that a flag does not take", ["plan", "-o", "xml"], "table, json, yaml"],
    ["a missing word", ["inspect"], "missing required argument"],
    ["one word too many", ["plan", "nginx"], "too many arguments"],
    ["an endpoint that is no socket", ["plan", "--endpoint", "localhost:1"], "unix:///"],
    ["a shell without completion", ["completion", "csh"], "bash, zsh, fish"],
    ["a captured node in a form that nothing reads", ["snapshot", "-o", "yaml"], "is a JSON file"],
    ["a rate that is none", ["verify", "--rate", "fast"], "50MiB/s"],
  ])("%s ends with exit code 2 and says what is right", async (_, args, message) => {
    const { code, stdout, stderr } = await runHere(args);

    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
  });
});

describe("documentation", () => {
  test("that comes from code is not stale", () => {
    const script = join(import.meta.dirname, "../../scripts/generate-docs.mjs");

    const { status, stderr } = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });

    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});

/** Help is wrapped: only the words count. */
function flat(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}
