// Help and the command line's own answers: every command explains itself, and wrong usage says what is right.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { longName } from "../../src/cli/command-spec.ts";
import { commandTable } from "../../src/cli/command-table.ts";
import { settings } from "../../src/config/settings.ts";
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

  test.each(
    commandTable
      .flatMap(({ name, flags }) => flags.flatMap((group) => group.flags.map((flag) => [name, flag] as const)))
      .filter(([, { key }]) => key !== undefined),
  )("of %s shows the default that holds without the flag: %o", async (command, { key, keyDefault }) => {
    const { stdout } = await runHere([command, "--help"]);

    expect(keyDefault).toBe(defaultOf(key));
    expect(flat(stdout)).toContain(keyDefault === undefined ? "" : `default: ${keyDefault}`);
  });

  test("calls flags what the documentation calls them", async () => {
    const program = await runHere(["--help"]);
    const images = await runHere(["images", "--help"]);
    const completion = await runHere(["completion", "--help"]);

    expect(program.stdout).toContain("images [flags] [repository]");
    expect(images.stdout).toContain("Usage: prunelet images [flags] [repository]");
    expect(completion.stdout).toContain("Usage: prunelet completion <shell>");
    expect([program, images].filter(({ stdout }) => /options/i.test(stdout))).toEqual([]);
  });

  test("behind the word help is the same as behind --help", async () => {
    const word = await runHere(["help", "verify"]);
    const flag = await runHere(["verify", "--help"]);

    expect(word.stdout).toBe(flag.stdout);
  });
});

describe("wrong usage", () => {
  test.each([
    ["an unknown command", ["cleanup"], "unknown command"],
    ["help for an unknown command", ["help", "nope"], "unknown command 'nope'"],
    [
      "a flag before the command",
      ["--log-level", "debug", "version"],
      "write it after it, prunelet version --log-level",
    ],
    ["a short flag before the command", ["-o", "json", "plan"], "write it after it, prunelet plan -o"],
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

/** The default of a key of the configuration, as text. */
function defaultOf(key: string | undefined): string | undefined {
  const value = settings().find(({ path }) => path.join(".") === key)?.default;
  return value === undefined ? undefined : [value].flat().join(", ");
}
