// `prunelet completion SHELL`: prints a script for shell completion.
import { bashCompletion } from "./completion-bash.ts";
import { fishCompletion } from "./completion-fish.ts";
import { zshCompletion } from "./completion-zsh.ts";
import { CommandError, exitCode } from "./exit.ts";

const scripts: Readonly<Record<string, () => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** Runs the command and returns its exit code. */
export async function completionCommand(shell: string): Promise<number> {
  const script = scripts[shell];
  if (script === undefined) {
    throw new CommandError(
      `no completion for ${shell}: name one of ${Object.keys(scripts).join(", ")}`,
      exitCode.usage,
    );
  }
  process.stdout.write(script());
  return exitCode.done;
}
