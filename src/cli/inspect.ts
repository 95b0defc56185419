// `prunelet inspect REF...`: images, whole: names, digests, bytes, users, and the verdict with every reason.
import { planRound } from "../reconcile/round.ts";
import { podsReady, withSession } from "./command-context.ts";
import { CommandError, exitCode } from "./exit.ts";
import { findImages, tellProblems } from "./find-images.ts";
import type { CommonFlags, PolicyFlags } from "./flags.ts";
import { inspectPages } from "./inspect-page.ts";
import { pageText } from "./inspect-text.ts";
import { print } from "./output.ts";

/** Runs the command and returns its exit code. */
export function inspectCommand(references: readonly string[], flags: CommonFlags & PolicyFlags): Promise<number> {
  return withSession(flags, async ({ session, policy }) => {
    await podsReady(session);
    const result = await planRound({ ...session, policy });
    if (result.kind === "failed") throw result.error;
    if (result.kind === "skipped") {
      throw new CommandError(`no verdict without the pods of this node: ${result.message}`, exitCode.failed);
    }
    const found = findImages(result.state, references);
    tellProblems(found.problems);
    const pages = inspectPages({ ...result, before: session.history, images: found.images });
    if (pages.length > 0) {
      // One reference, one object; a list stays a list when some of it is missing.
      print(flags.output, references.length === 1 && pages.length === 1 ? pages[0] : pages, () =>
        pages.map((page) => pageText(page, result.state.takenAt)).join("\n\n"),
      );
    }
    return found.code;
  });
}
