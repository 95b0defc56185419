// Shell completion: the bash script does in a real bash what a person expects of the tab key; the others name everything.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { longName } from "../../src/cli/command-spec.ts";
import { commandTable } from "../../src/cli/command-table.ts";
import { bashCompletion } from "../../src/cli/completion-bash.ts";
import { fishCompletion } from "../../src/cli/completion-fish.ts";
import { zshCompletion } from "../../src/cli/completion-zsh.ts";
import { createTempFolder } from "../support/temp.ts";

const names = commandTable.map(({ name }) => name);

describe("completion in bash", () => {
  test("loads without a word and without the bash-completion package", () => {
    const result = bash(`${bashCompletion()}\ncomplete -p prunelet`);

    expect(result).toEqual({ status: 0, stdout: "complete -F _prunelet prunelet\n", stderr: "" });
  });

  test.each([
    ["every command where nothing was typed", [""], [...names, "help"]],
    ["the commands that begin as typed", ["in"], ["inspect"]],
    ["the flags of the program itself", ["--v"], ["--version"]],
    ["the flags of a command", ["prune", "--d"], ["--dry-run", "--dangling", "--dangling-for"]],
    ["flags after words of the command", ["inspect", "nginx", "--unu"], ["--unused-for"]],
    ["the values of a flag", ["plan", "--output", ""], ["table", "json", "yaml"]],
    ["the values of a flag's letter", ["plan", "-o", "j"], ["json"]],
    ["the values behind an equals sign", ["plan", "--output", "=", "ya"], ["yaml"]],
    ["every value right behind an equals sign", ["plan", "--pods", "="], ["auto", "kubernetes", "none"]],
    ["nothing where only the person knows", ["prune", "--keep", ""], []],
    ["files where files are expected", ["plan", "--config", "package.js"], ["package.json"]],
    ["the words that a command takes", ["completion", ""], ["bash", "zsh", "fish"]],
    ["commands behind help", ["help", "ver"], ["verify", "version"]],
    ["nothing after a word that is no command's flag", ["images", "ngin"], []],
  ])("offers %s", (_, words, expected) => {
    const offered = complete(words);

    expect(offered).toEqual(expected);
  });

  test.each(names)("knows every flag of %s", (name) => {
    const spec = commandTable.find((one) => one.name === name);

    const offered = complete([name, "--"]);

    expect(offered).toEqual([...(spec?.flags.flatMap(({ flags }) => flags.map(longName)) ?? []), "--help"]);
  });
});

describe.each([
  ["zsh", zshCompletion, "-n"],
  ["fish", fishCompletion, "--no-execute"],
] as const)("completion in %s", (shell, script, check) => {
  test("names every command and every flag", () => {
    const text = script();

    for (const { name, flags } of commandTable) {
      expect(text).toContain(name);
      for (const flag of flags.flatMap((group) => group.flags)) expect(text).toContain(longName(flag).slice(2));
    }
  });

  test("quotes whatever its texts hold", () => {
    const lines = script().split("\n");

    const unbalanced = lines.filter((line) => quotesIn(line) % 2 === 1 && !line.startsWith("#"));

    expect(unbalanced).toEqual([]);
  });

  const installed = spawnSync(shell, ["--version"]).status === 0;
  test.skipIf(!installed && !process.env["CI"])(
    installed ? "is a script that the shell accepts" : `is a script (skipped: no ${shell})`,
    () => {
      const folder = createTempFolder();
      const file = join(folder.path, "completion");
      writeFileSync(file, script());

      const { status, stderr } = spawnSync(shell, [check, file], { encoding: "utf8" });

      folder.remove();
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    },
  );
});

/** What bash offers for the last of the words. */
function complete(words: readonly string[]): string[] {
  const array = ["prunelet", ...words].map((word) => `'${word}'`).join(" ");
  const { stdout, stderr } = bash(
    `${bashCompletion()}\nCOMP_WORDS=(${array}); COMP_CWORD=${words.length}; _prunelet; printf '%s\\n' "\${COMPREPLY[@]}"`,
  );
  if (stderr !== "") throw new Error(stderr);
  return stdout.split("\n").filter(Boolean);
}

function bash(script: string) {
  const { status, stdout, stderr } = spawnSync("bash", ["--norc", "-u", "-s"], { input: script, encoding: "utf8" });
  return { status, stdout, stderr };
}

/** Single quotes that a shell sees: escaped ones are none. */
function quotesIn(line: string): number {
  return line.replaceAll("'\\''", "").replaceAll("\\'", "").split("'").length - 1;
}
