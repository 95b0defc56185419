// A process of its own that outlives the test process and clears away what it left: test runners end their workers by signal,
// so nothing in the worker itself can be sure to run. Waits until its input ends, which happens however the owner ends.
import { clearLeftovers } from "./clear-away.ts";

const owner = Number(process.argv[2]);
process.stdin.resume();
process.stdin.on("close", () => clearLeftovers(owner));
