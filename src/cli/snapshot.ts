// `prunelet snapshot`: captures what was observed as one JSON file on stdout, for bug reports and what-if questions.
import { toHistoryDocument } from "../observe/history-document.ts";
import { formatNodeFile } from "../observe/node-file.ts";
import { observeNode } from "../observe/observe-node.ts";
import { podsReady, withSession } from "./command-context.ts";
import { visibleDisks } from "./disk.ts";
import { CommandError, exitCode } from "./exit.ts";
import type { CommonFlags } from "./flags.ts";

const jsonOnly = "a captured node is a JSON file, which --snapshot reads: leave -o yaml out";

/** Runs the command and returns its exit code. */
export function snapshotCommand(flags: CommonFlags): Promise<number> {
  if (flags.output === "yaml") throw new CommandError(jsonOnly, exitCode.usage);
  return withSession(flags, async ({ session, config }) => {
    await podsReady(session);
    const seen = await observeNode(session);
    if (seen.kind === "refused")
      throw new CommandError(
        `no snapshot without the pods of this node: ${seen.message}; --pods none captures the runtime alone`,
      );
    const { history } = session;
    const known = history.unknown === "just-used" ? toHistoryDocument(history) : undefined;
    process.stdout.write(formatNodeFile(seen.state, known, await visibleDisks(session, config.pressure)));
    if (flags.snapshotOut !== undefined) await session.capture(flags.snapshotOut, history);
    return exitCode.done;
  });
}
