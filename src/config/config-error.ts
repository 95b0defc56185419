// What is wrong with a configuration or a command line: every problem at once, each with its path and the mend.

/** Wrong usage or configuration: exit code 2. One problem a line, each naming the cause and the mend. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("; "));
    this.problems = problems;
  }
}
