// What help says beyond the parser's own: the words of docs/cli.md, and the default that holds where a flag is not given.
import { type Command, type HelpConfiguration, Option } from "commander";
import type { CommandSpec, FlagSpec } from "./command-spec.ts";

/** Heading of the flags that belong to no command. */
const commonHeading = "Flags:";

/** The list of commands, each with what comes after its name. */
const listOfCommands: HelpConfiguration = {
  subcommandTerm: (command) => `${command.name()} ${command.usage()}`.trim(),
};

function helpFlag(): Option {
  return new Option("-h, --help", "show this help").helpGroup(commonHeading);
}

/** Makes the program's own page: what there is. To be called before its version is given. */
export function describeProgram(program: Command): Command {
  return program
    .usage("<command> [flags]")
    .optionsGroup(commonHeading)
    .addHelpOption(helpFlag())
    .configureHelp(listOfCommands);
}

/** Makes the help of a command say what its description says. */
export function describeCommand(command: Command, spec: CommandSpec): void {
  const flags = new Map(spec.flags.flatMap((group) => group.flags).map((flag) => [flag.flags, flag]));
  command.usage([...(flags.size === 0 ? [] : ["[flags]"]), spec.argument?.synopsis ?? ""].join(" ").trim());
  command.configureHelp({ optionDescription: (option) => meaningOf(flags.get(option.flags), option) });
  command.addHelpOption(helpFlag());
}

/** `container runtime (choices: auto, cri, ...; default: auto)`. */
function meaningOf(flag: FlagSpec | undefined, { description }: Option): string {
  if (flag === undefined) return description;
  const fallback = flag.default ?? flag.keyDefault;
  const more = [
    ...(flag.choices === undefined ? [] : [`choices: ${flag.choices.join(", ")}`]),
    ...(fallback === undefined ? [] : [`default: ${fallback}`]),
    ...(flag.repeatable ? ["repeatable"] : []),
  ];
  return more.length === 0 ? flag.meaning : `${flag.meaning} (${more.join("; ")})`;
}

/** Adds `help [command]`. The parser's own answers a command that there is not with the whole page, and without a word about it. */
export function addHelpCommand(program: Command): void {
  program
    .helpCommand(false)
    .command("help")
    .usage("[command]")
    .summary("the help of a command")
    .argument("[command]")
    .helpOption(false)
    .action((name?: string) => {
      const asked = name === undefined ? program : program.commands.find((command) => command.name() === name);
      if (asked === undefined) program.error(`error: unknown command '${name}'`);
      asked.outputHelp();
    });
}
