// The command line: turns the table of commands into a parser and runs what was asked for.
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { runCommandNamed } from "./command-runners.ts";
import { type CommandSpec, type FlagSpec, longName, shortName } from "./command-spec.ts";
import { commandTable } from "./command-table.ts";
import { CommandError, exitCode, explainError } from "./exit.ts";
import { addHelpCommand, describeCommand, describeProgram } from "./help.ts";
import { refuseOldNode } from "./old-node.ts";
import { version } from "./version-text.ts";

/** Runs the program and returns the exit code. Never throws. */
export async function main(args: readonly string[]): Promise<number> {
  const outcome = { code: exitCode.done as number };
  const program = createProgram((code) => {
    outcome.code = code;
  });
  try {
    refuseOldNode(process.versions.node);
    refuseEarlyFlag(args);
    await program.parseAsync(args, { from: "user" });
    return outcome.code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.done : exitCode.usage;
    const { lines, code } = explainError(error);
    for (const line of lines) process.stderr.write(`prunelet: ${line}\n`);
    return code;
  }
}

/** Flags belong to commands: one that stands before the command would only be called unknown. */
function refuseEarlyFlag([first = "", ...others]: readonly string[]): void {
  const name = /^--?[a-z][a-z-]*/.exec(first)?.[0];
  const command = commandTable.find((one) => others.includes(one.name))?.name ?? "<command>";
  const known = commandTable.flatMap(({ flags }) => flags.flatMap((group) => group.flags));
  if (name === undefined || !known.some((flag) => [longName(flag), shortName(flag)].includes(name))) return;
  throw new CommandError(
    `${name} stands before the command: write it after it, prunelet ${command} ${name} ...`,
    exitCode.usage,
  );
}

/** What commander says about wrong usage, as the one line that every error gets. */
function oneLine(text: string): string {
  const cause = text
    .replace(/^error: /, "")
    .trim()
    .replaceAll(/\s*\n\s*/g, " ")
    .replace(/\.$/, "");
  return `prunelet: ${cause}; --help lists what there is\n`;
}

/** The program with all its commands. `done` is told the exit code of the command that ran. */
export function createProgram(done: (code: number) => void): Command {
  const program = describeProgram(new Command("prunelet"))
    .description("Removes the container images and tags that nothing on this node needs any more")
    .version(version, "-V, --version", "print the version")
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(oneLine(text)) });
  for (const spec of commandTable) addCommand(program, spec, done);
  addHelpCommand(program);
  return program;
}

function addCommand(program: Command, spec: CommandSpec, done: (code: number) => void): void {
  const command = program
    .command(spec.name)
    .summary(spec.summary)
    .description([`${spec.name}: ${spec.summary}`, ...spec.description].join("\n\n"))
    .exitOverride()
    .addHelpText("after", examplesText(spec))
    .action(async (...given: unknown[]) => {
      // commander hands over the arguments (a list when there may be several), the flags, and the command.
      const words = given.slice(0, -2).flat().filter(isText);
      done(await runCommandNamed(spec.name, command.opts(), words));
    });
  if (spec.argument !== undefined) {
    const { synopsis, meaning, choices } = spec.argument;
    const argument = new Argument(synopsis, meaning);
    command.addArgument(choices === undefined ? argument : argument.choices(choices));
  }
  describeCommand(command, spec);
  for (const { heading, flags } of spec.flags) {
    for (const flag of flags) command.addOption(toOption(flag).helpGroup(`${heading}:`));
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function toOption(flag: FlagSpec): Option {
  const option = new Option(flag.flags, flag.meaning);
  if (flag.default !== undefined) option.default(flag.default);
  if (flag.choices !== undefined) option.choices(flag.choices);
  if (flag.parse !== undefined) option.argParser(flag.parse);
  if (flag.repeatable) option.argParser((value, before: string[] | undefined) => collect(flag, value, before));
  return option;
}

/** commander checks choices only where it is not told how to read a value. */
function collect({ choices }: FlagSpec, value: string, before: readonly string[] = []): string[] {
  if (choices !== undefined && !choices.includes(value)) {
    throw new InvalidArgumentError(`Allowed choices are ${choices.join(", ")}.`);
  }
  return [...before, value];
}

function examplesText({ examples }: CommandSpec): string {
  if (examples.length === 0) return "";
  return ["", "Examples:", ...examples.flatMap(({ line, meaning }) => [`  # ${meaning}`, `  ${line}`])].join("\n");
}
