#!/usr/bin/env -S node --max-semi-space-size=1
// The process edge: arguments in, exit code out.
import { main } from "./cli/program.ts";

process.exitCode = await main(process.argv.slice(2));
