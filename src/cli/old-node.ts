// The oldest Node.js that runs the program.
import { CommandError, exitCode } from "./exit.ts";

const oldest = 24;

/** Throws `CommandError` for an older one, which would end with the name of some function that it does not have. */
export function refuseOldNode(running: string): void {
  if (Number.parseInt(running, 10) >= oldest) return;
  const mend = "start it with npm start, which brings its own, or with a newer node";
  throw new CommandError(`Node.js ${oldest} or later is needed, and this is ${running}: ${mend}`, exitCode.usage);
}
