// Runs a command of the table. Each command's file is loaded when it runs, so that each pays only for what it uses.
import { CommandError, exitCode } from "./exit.ts";
import type { CommonFlags } from "./flags.ts";

/** Runs a command with its flags and the words after them; returns the exit code. */
type Runner = (flags: CommonFlags, words: readonly string[]) => Promise<number>;

const runners: Readonly<Record<string, Runner>> = {
  run: async (flags) => (await import("./run.ts")).runCommand(flags),
  plan: async (flags) => (await import("./plan.ts")).planCommand(flags),
  prune: async (flags) => (await import("./prune.ts")).pruneCommand(flags),
  rmi: async (flags, words) => (await import("./rmi.ts")).rmiCommand(words, flags),
  images: async (flags, words) => (await import("./images.ts")).imagesCommand(flags, words[0]),
  inspect: async (flags, words) => (await import("./inspect.ts")).inspectCommand(words, flags),
  verify: async (flags, words) => (await import("./verify.ts")).verifyCommand(words, flags),
  history: async (flags) => (await import("./history.ts")).historyCommand(flags),
  snapshot: async (flags) => (await import("./snapshot.ts")).snapshotCommand(flags),
  config: async (flags) => (await import("./config.ts")).configCommand(flags),
  completion: async (_, words) => (await import("./completion.ts")).completionCommand(words[0] ?? ""),
  version: async (flags) => (await import("./version.ts")).versionCommand(flags),
};

/** Runs the command of this name. */
export function runCommandNamed(name: string, flags: CommonFlags, words: readonly string[]): Promise<number> {
  const runner = runners[name];
  if (runner === undefined) throw new CommandError(`no command ${name}`, exitCode.usage);
  return runner(flags, words);
}
