// The agent's state file: made usable at the start, kept up to date, and never a reason to stop once the agent runs.
import { emptyHistory, type History } from "../decide/history.ts";
import { HistoryFileError, readHistoryFile, setAside, writeHistoryFile } from "../observe/history-file.ts";
import type { ReportSink } from "../report/event.ts";

/** A corrupt file is put aside and everything counts as just used; one that cannot be read or written ends the agent. */
export function makeStateFileUsable(stateFile: string, report: ReportSink): void {
  try {
    writeHistoryFile(stateFile, readHistoryFile(stateFile) ?? emptyHistory("just-used"));
  } catch (error) {
    if (!(error instanceof HistoryFileError) || error.kind !== "corrupt") throw error;
    const aside = setAside(stateFile, Date.now());
    const message = `the state file was corrupt and is now ${aside}: everything counts as just used`;
    report({ kind: "notice", level: "warn", message });
  }
}

/** The agent goes on without its state file when the disk is full: that is when it is needed most. */
export function remember(stateFile: string, history: History, report: ReportSink): void {
  try {
    writeHistoryFile(stateFile, history);
  } catch (error) {
    if (!(error instanceof HistoryFileError)) throw error;
    report({ kind: "notice", level: "warn", message: `${error.message}; going on from memory` });
  }
}
