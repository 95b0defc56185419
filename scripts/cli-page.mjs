// The generated part of docs/cli.md: a section for each command, from the table of commands.
import { commandTable } from "../src/cli/command-table.ts";
import { nodeFlags, policyFlags } from "../src/cli/flag-table.ts";
import { configSchema } from "../src/config/schema.ts";

const configuration = configSchema.toJSONSchema({ io: "input", unrepresentable: "any" });

/** The lines of the page. Flags that many commands share are listed once, at the end. */
export function cliPage() {
  return [
    ...["| command | does |", "|---|---|"],
    ...commandTable.map(({ name, summary }) => `| [\`${name}\`](#prunelet-${name}) | ${cell(summary)} |`),
    "",
    ...commandTable.flatMap(commandSection),
    ...groupSection(policyFlags),
    "Durations are `90s`, `10m`, `24h`, `7d` or `1h30m`. Patterns and filters are explained in",
    "[configuration.md](configuration.md#keep-patterns). `plan` and `prune` note on stderr which `--keep` matches no image.",
    "",
    ...nodeFlags.flatMap(groupSection),
  ].slice(0, -1);
}

function commandSection(command) {
  const { name, summary, description, argument, flags, examples, exitCodes } = command;
  const own = flags.filter((group) => !isShared(group));
  const shared = flags.filter(isShared).map(({ heading }) => `[${heading.toLowerCase()}](#${anchor(heading)})`);
  const words = argument === undefined ? "" : ` ${argument.synopsis}`;
  const flagsWord = flags.length === 0 ? "" : " [flags]";
  return [
    `## prunelet ${name}`,
    "",
    `${summary[0].toUpperCase()}${summary.slice(1)}.`,
    "",
    "```",
    `prunelet ${name}${flagsWord}${words}`,
    "```",
    "",
    ...description.flatMap((paragraph) => [prose(paragraph), ""]),
    ...(argument === undefined ? [] : [`\`${argument.synopsis}\` is ${choices(argument)}.`, ""]),
    ...own.flatMap(({ flags: specs }) => [...flagTable(specs), ""]),
    ...(shared.length === 0 ? [] : [`Shared flags: ${shared.join(", ")}.`, ""]),
    ...(examples.length === 0 ? [] : ["Examples:", "", "```sh"]),
    ...examples.map(({ line, meaning }) => `${line}   # ${meaning}`),
    ...(examples.length === 0 ? [] : ["```", ""]),
    ...exitCodeLines(exitCodes),
  ];
}

function exitCodeLines(exitCodes = {}) {
  const texts = Object.entries(exitCodes).map(([code, meaning]) => `${code} when ${meaning}`);
  return texts.length === 0 ? [] : [`Exit codes: ${texts.join(", ")}; the others as [everywhere](#exit-codes).`, ""];
}

function choices({ meaning, choices: allowed }) {
  return allowed === undefined ? meaning : `${meaning}: ${allowed.map((choice) => `\`${choice}\``).join(", ")}`;
}

function groupSection({ heading, flags }) {
  return [`## ${heading}`, "", ...flagTable(flags), ""];
}

function flagTable(flags) {
  const rows = flags.map((flag) => `| \`${flag.flags}\` | ${fallback(flag)} | ${cell(meaningOf(flag))} |`);
  return ["| flag | default | meaning |", "|---|---|---|", ...rows];
}

function fallback(flag) {
  const value = flag.default ?? configDefault(flag.key);
  return value === undefined ? "" : `\`${Array.isArray(value) ? value.join(", ") : value}\``;
}

/** The default of a configuration key: with a flag that is not given, that is what counts. */
function configDefault(key) {
  if (key === undefined) return undefined;
  const found = key.split(".").reduce((schema, part) => schema?.properties?.[part], configuration);
  if (found === undefined) throw new Error(`a flag sets the configuration key ${key}, which there is not`);
  return found.default;
}

function meaningOf({ meaning, choices: allowed, repeatable }) {
  const values = allowed === undefined ? "" : `: ${allowed.map((choice) => `\`${choice}\``).join(", ")}`;
  return `${meaning}${values}${repeatable ? "; repeatable" : ""}`;
}

function isShared(group) {
  return group === policyFlags || nodeFlags.includes(group);
}

function anchor(heading) {
  return heading.toLowerCase().replaceAll(" ", "-");
}

function prose(text) {
  return text.replaceAll("<none>", "`<none>`");
}

/** Bars end a cell, angle brackets would be read as markup. */
function cell(text) {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}
