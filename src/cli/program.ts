// The command line: one program, its commands and flags. Commands live in files of their own.
import { Command, CommanderError } from "commander";
import { exitCode, explainError } from "./exit.ts";
import { addCommonFlags, addPolicyFlags } from "./flags.ts";
import { version } from "./version-text.ts";

/** Runs the program and returns the exit code. Never throws. */
export async function main(args: readonly string[]): Promise<number> {
  const outcome = { code: exitCode.done as number };
  const program = createProgram((code) => {
    outcome.code = code;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return outcome.code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.done : exitCode.usage;
    const { lines, code } = explainError(error);
    for (const line of lines) process.stderr.write(`prunelet: ${line}\n`);
    return code;
  }
}

/** The program with all its commands. `done` is told the exit code of the command that ran. */
export function createProgram(done: (code: number) => void): Command {
  const program = new Command("prunelet")
    .description("Removes the container images and tags that nothing on this node needs any more")
    .version(version)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "prunelet: ")) })
    .showHelpAfterError("(--help lists the flags)");
  const command = (name: string, description: string): Command =>
    addCommonFlags(program.command(name).description(description).exitOverride());
  // Commands are loaded when they run, so that each pays only for what it uses.
  const deciding = (name: string, description: string): Command => addPolicyFlags(command(name, description));

  deciding("run", "reconcile until told to stop; serves /metrics, /healthz and /readyz")
    .option("--interval <duration>", "time between two rounds")
    .option("--listen <host:port>", "address of /metrics, /healthz and /readyz")
    .action(async (flags) => done(await (await import("./run.ts")).runCommand(flags)));
  deciding("plan", "what would be removed and kept, and why; changes nothing").action(async (flags) =>
    done(await (await import("./plan.ts")).planCommand(flags)),
  );
  deciding("prune", "one round: plan, then remove what nothing uses")
    .option("--dry-run", "only show what would be removed")
    .option("-y, --yes", "do not ask")
    .action(async (flags) => done(await (await import("./prune.ts")).pruneCommand(flags)));
  command("images", "the images of this node")
    .option("--digests", "show digests")
    .action(async (flags) => done(await (await import("./images.ts")).imagesCommand(flags)));
  deciding("inspect", "one image: names, digests, bytes, users, the verdict and why")
    .argument("<reference>", "reference, digest, image ID or the beginning of one")
    .action(async (reference, flags) => done(await (await import("./inspect.ts")).inspectCommand(reference, flags)));
  command("snapshot", "capture what was observed as one JSON file on stdout").action(async (flags) =>
    done(await (await import("./snapshot.ts")).snapshotCommand(flags)),
  );
  command("version", "version of prunelet, the runtime found, and what it can do").action(async (flags) =>
    done(await (await import("./version.ts")).versionCommand(flags)),
  );
  return program;
}
