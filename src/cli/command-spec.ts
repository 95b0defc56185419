// What a command is: the one description from which its parser, its help, shell completion and docs/cli.md come.

/** One flag. */
export interface FlagSpec {
  /** As people read it: `-o, --output <format>`. A value in angle brackets is required, a flag without one is a switch. */
  readonly flags: string;
  /** What it does, in one line. */
  readonly meaning: string;
  /** The only values that it takes. */
  readonly choices?: readonly string[];
  readonly default?: string;
  /** The configuration key that the flag sets, e.g. `log.level`. Without the flag that key counts, and its default. */
  readonly key?: string;
  /** The default of that key, as help shows it: help must not wait for the schema. A test compares the two. */
  readonly keyDefault?: string;
  /** True when it may be given more than once. */
  readonly repeatable?: true;
  /** Checks or changes the value. Throws commander's `InvalidArgumentError`. */
  readonly parse?: (value: string) => string;
  /** What a shell offers as value. Default: the choices, or else nothing. */
  readonly completes?: "files";
}

/** Flags that belong together, under a heading. */
export interface FlagGroup {
  readonly heading: string;
  readonly flags: readonly FlagSpec[];
}

/** The words after the flags. */
export interface ArgumentSpec {
  /** `<ref>` needs exactly one, `<ref...>` at least one, `[ref]` at most one, `[ref...]` any number. */
  readonly synopsis: string;
  readonly meaning: string;
  readonly choices?: readonly string[];
}

/** A line that can be typed, and what it does. */
export interface Example {
  readonly line: string;
  readonly meaning: string;
}

/** One command. */
export interface CommandSpec {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** Paragraphs: what it does, what it prints, what one should know. */
  readonly description: readonly string[];
  readonly argument?: ArgumentSpec;
  readonly flags: readonly FlagGroup[];
  readonly examples: readonly Example[];
  /** What an exit code means here, where it means more than everywhere. */
  readonly exitCodes?: Readonly<Record<number, string>>;
}

/** The long name of a flag without its value: `--output`. */
export function longName(flag: FlagSpec): string {
  return /--[a-z-]+/.exec(flag.flags)?.[0] ?? flag.flags;
}

/** The letter of a flag: `-o`. Undefined when it has none. */
export function shortName(flag: FlagSpec): string | undefined {
  return /^-[a-z]\b/.exec(flag.flags)?.[0];
}

/** What the flag's value is called: `format`. Undefined for a switch. */
export function valueName(flag: FlagSpec): string | undefined {
  return /<(.+)>/.exec(flag.flags)?.[1];
}
