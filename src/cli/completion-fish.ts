// Completion for fish, written from the table of commands.
import { type CommandSpec, type FlagSpec, longName, shortName, valueName } from "./command-spec.ts";
import { commandTable } from "./command-table.ts";

/** The script. */
export function fishCompletion(): string {
  const names = commandTable.map(({ name }) => name).join(" ");
  return [
    "# fish completion for prunelet. Save it as ~/.config/fish/completions/prunelet.fish",
    "complete -c prunelet -f",
    `set -l prunelet_commands ${names} help`,
    'complete -c prunelet -n "not __fish_seen_subcommand_from $prunelet_commands" -l version -d "version"',
    "complete -c prunelet -l help -d help",
    ...commandTable.map(({ name, summary }) =>
      offer("not __fish_seen_subcommand_from $prunelet_commands", name, summary),
    ),
    ...commandTable.flatMap(commandLines),
    "",
  ].join("\n");
}

function commandLines({ name, flags: groups, argument }: CommandSpec): string[] {
  const here = `__fish_seen_subcommand_from ${name}`;
  return [
    ...groups.flatMap((group) => group.flags).map((flag) => flagLine(here, flag)),
    ...(argument?.choices ?? []).map((choice) => offer(here, choice, argument?.meaning ?? "")),
  ];
}

function offer(condition: string, word: string, meaning: string): string {
  return `complete -c prunelet -n "${condition}" -a ${quoted(word)} -d ${quoted(meaning)}`;
}

function flagLine(condition: string, flag: FlagSpec): string {
  const short = shortName(flag);
  return [
    `complete -c prunelet -n "${condition}"`,
    ...(short === undefined ? [] : [`-s ${short.slice(1)}`]),
    `-l ${longName(flag).slice(2)}`,
    ...(valueName(flag) === undefined ? [] : [flag.completes === "files" ? "-r -F" : "-x"]),
    ...(flag.choices === undefined ? [] : [`-a ${quoted(flag.choices.join(" "))}`]),
    `-d ${quoted(flag.meaning)}`,
  ].join(" ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
