// The agent's state file: opened at the start, kept up to date, and never a reason not to run. Without it everything counts as just used.
import { emptyHistory, type History } from "../decide/history.ts";
import type { Clock } from "../observe/clock.ts";
import { HistoryFileError, readHistoryFile, setAside, writeHistoryFile } from "../observe/history-file.ts";
import { HistoryKeeper } from "../observe/history-keeper.ts";
import type { ReportSink } from "../report/event.ts";

export interface StateFile {
  /** What is remembered from before. */
  readonly history: History;
  /** Takes what is to be remembered from now on. */
  remember(history: History): void;
  /** Writes what is not written yet. */
  close(): void;
}

/** Opens the state file. Says in one line what is wrong with it, and goes on without it. */
export function openStateFile(path: string, clock: Clock, report: ReportSink): StateFile {
  const found = readOrPutAside(path, clock, report);
  const { history } = found;
  if (found.kind === "untouchable") return { history, remember: () => undefined, close: () => undefined };
  const keeper = new HistoryKeeper({
    clock,
    write: (latest) => writeHistoryFile(path, latest),
    onFailure: (error, again) => warnOfFailure(error, again, report),
    onMended: () => notice(report, "info", `the state file ${path} can be written again`),
  });
  // At once, so that a file that cannot be written is said at the start, and a file of an older version is brought up to date.
  keeper.remember(history);
  return { history, remember: (latest) => keeper.remember(latest), close: () => keeper.close() };
}

interface Found {
  /** `untouchable`: the file must not be written over. */
  readonly kind: "usable" | "untouchable";
  readonly history: History;
}

function readOrPutAside(path: string, clock: Clock, report: ReportSink): Found {
  const anew = emptyHistory("just-used");
  try {
    return { kind: "usable", history: readHistoryFile(path) ?? anew };
  } catch (error) {
    if (!(error instanceof HistoryFileError)) throw error;
    const aside = error.kind === "newer" ? undefined : putAside(path, error.kind, clock.now());
    if (aside === undefined) {
      notice(report, "warn", `${error.message}; until then it is left as it is, and ${fromMemory}`);
      return { kind: "untouchable", history: anew };
    }
    notice(report, "warn", `the state file was ${error.kind} and is now ${aside}: everything counts as just used`);
    return { kind: "usable", history: anew };
  }
}

const fromMemory = "everything counts as just used after each start";

/** Undefined when the file cannot be moved. */
function putAside(path: string, kind: HistoryFileError["kind"], now: number): string | undefined {
  try {
    return setAside(path, kind === "corrupt" ? "corrupt" : "unreadable", now);
  } catch (error) {
    if (error instanceof HistoryFileError) return undefined;
    throw error;
  }
}

/** Once, until it works again: a disk stays full for longer than people want to read about it. */
function warnOfFailure(error: unknown, again: boolean, report: ReportSink): void {
  if (!(error instanceof HistoryFileError)) throw error;
  notice(report, again ? "debug" : "warn", `${error.message}; going on from memory`);
}

function notice(report: ReportSink, level: "debug" | "info" | "warn", message: string): void {
  report({ kind: "notice", level, message });
}
