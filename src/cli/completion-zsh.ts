// Completion for zsh, written from the table of commands.
import { type CommandSpec, type FlagSpec, longName, shortName, valueName } from "./command-spec.ts";
import { commandTable } from "./command-table.ts";

/** The script: a file for a folder of `fpath`, or to be sourced after compinit. */
export function zshCompletion(): string {
  return `#compdef prunelet
# zsh completion for prunelet. Save it as _prunelet in a folder of fpath, or: source <(prunelet completion zsh)
_prunelet() {
  local context state state_descr line
  local -A opt_args
  local -a commands
  commands=(
${commandTable.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`).join("\n")}
    'help:help for a command'
  )
  _arguments -C '(- *)--help[help]' '(- *)--version[version]' '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe 'command' commands ;;
    argument)
      case $words[1] in
        help) _describe 'command' commands ;;
${commandTable.map(commandCase).join("\n")}
      esac
      ;;
  esac
}
if [ "$funcstack[1]" = "_prunelet" ]; then _prunelet "$@"; else compdef _prunelet prunelet; fi
`;
}

function commandCase({ name, flags: groups, argument }: CommandSpec): string {
  const specs = groups.flatMap((group) => group.flags).flatMap(flagSpecs);
  const words = argument === undefined ? [] : [argumentSpec(argument)];
  const lines = [...specs, quoted("(- *)--help[help]"), ...words].map((spec) => `            ${spec}`);
  return `        ${name})\n          _arguments \\\n${lines.join(" \\\n")}\n          ;;`;
}

function flagSpecs(flag: FlagSpec): string[] {
  const spellings = [shortName(flag), longName(flag)].filter((text) => text !== undefined);
  const exclusive = flag.repeatable ? "*" : spellings.length > 1 ? `(${spellings.join(" ")})` : "";
  const value = valueName(flag);
  const action =
    flag.choices === undefined ? (flag.completes === "files" ? "_files" : " ") : `(${flag.choices.join(" ")})`;
  const argument = value === undefined ? "" : `:${plain(value)}:${action}`;
  return spellings.map((spelling) => quoted(`${exclusive}${spelling}[${plain(flag.meaning)}]${argument}`));
}

function argumentSpec({ synopsis, choices }: NonNullable<CommandSpec["argument"]>): string {
  const many = synopsis.includes("...");
  const name = plain(synopsis.replaceAll(/[<>[\].]/g, ""));
  return quoted(`${many ? "*" : "1"}:${name}:${choices === undefined ? " " : `(${choices.join(" ")})`}`);
}

/** Colons and brackets end the parts of a specification. */
function plain(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, (character) => `\\${character}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
