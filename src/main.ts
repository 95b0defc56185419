#!/usr/bin/env -S node --max-semi-space-size=1
// The process edge: arguments in, exit code out. It is bundled apart from the program, which it loads.
import { loadProgram } from "./load-program.ts";

const { main } = loadProgram(import.meta.dirname).program;
process.exitCode = await main(process.argv.slice(2));
