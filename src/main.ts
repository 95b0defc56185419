#!/usr/bin/env node
// The process edge: arguments in, exit code out.
import { watchOutputs } from "./cli/lost-output.ts";
import { main } from "./cli/program.ts";

watchOutputs(process);
process.exitCode = await main(process.argv.slice(2));
