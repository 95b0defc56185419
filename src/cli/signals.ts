// SIGINT and SIGTERM as an abort signal: the first one asks to finish, the second one ends the process. SIGHUP ends nothing.

export interface StopSignal {
  readonly signal: AbortSignal;
  /** Gives the signals back to the process. */
  readonly release: () => void;
}

/** Begins to listen. */
export function stopSignal(): StopSignal {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(name === "SIGINT" ? 130 : 143);
    controller.abort(name);
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  const release = (): void => {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  };
  return { signal: controller.signal, release };
}

/**
 * SIGHUP asks the agent to read its configuration again, and ends a process that does not listen: so it listens from the first
 * moment to the last, also while nobody reads. Returns the function that gives the signal back.
 */
export function outliveHangups(): () => void {
  const ignore = (): void => undefined;
  process.on("SIGHUP", ignore);
  return () => void process.off("SIGHUP", ignore);
}
