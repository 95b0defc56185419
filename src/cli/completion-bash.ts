// Completion for bash, written from the table of commands. Works with and without the bash-completion package.
import { type CommandSpec, type FlagSpec, longName, shortName, valueName } from "./command-spec.ts";
import { commandTable } from "./command-table.ts";

/** The script. */
export function bashCompletion(): string {
  const names = [...commandTable.map(({ name }) => name), "help"].join(" ");
  return `# bash completion for prunelet. Load it with: source <(prunelet completion bash)
_prunelet() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command="" word
  # bash takes = as a word of its own: --flag=value completes like --flag value.
  if [[ $previous == = ]]; then previous=\${COMP_WORDS[COMP_CWORD-2]}; fi
  if [[ $current == = ]]; then previous=\${COMP_WORDS[COMP_CWORD-1]} current=""; fi
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ " ${names} " == *" $word "* ]]; then command=$word; break; fi
  done
  COMPREPLY=()
  local values="" flags="" words=""
  case $command in
    "") words="${names}" flags="--help --version" ;;
    help) words="${names}" ;;
${commandTable.map(commandCase).join("\n")}
  esac
  case $values in
    "") ;;
    "<files>") COMPREPLY=( $(compgen -f -- "$current") ); return ;;
    "<text>") return ;;
    *) COMPREPLY=( $(compgen -W "$values" -- "$current") ); return ;;
  esac
  if [[ $current == -* ]]; then words=$flags; fi
  COMPREPLY=( $(compgen -W "$words" -- "$current") )
}
complete -F _prunelet prunelet
`;
}

function commandCase({ name, flags: groups, argument }: CommandSpec): string {
  const flags = groups.flatMap((group) => group.flags);
  const withValue = flags.filter((flag) => valueName(flag) !== undefined);
  const words = argument?.choices === undefined ? "" : ` words="${argument.choices.join(" ")}"`;
  return [
    `    ${name})`,
    `      flags="${[...flags.map(longName), "--help"].join(" ")}"${words}`,
    ...(withValue.length === 0 ? [] : ["      case $previous in", ...withValue.map(valueCase), "      esac"]),
    "      ;;",
  ].join("\n");
}

function valueCase(flag: FlagSpec): string {
  const spellings = [shortName(flag), longName(flag)].filter((text) => text !== undefined).join("|");
  const values = flag.choices?.join(" ") ?? (flag.completes === "files" ? "<files>" : "<text>");
  return `        ${spellings}) values="${values}" ;;`;
}
