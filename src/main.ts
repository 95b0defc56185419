#!/usr/bin/env -S node --max-semi-space-size=1
// The process edge: arguments in, exit code out.
import { enableCompileCache } from "node:module";
import { join } from "node:path";

// What V8 made of the program before, beside it (scripts/bundle.mjs). Where there is none, or another Node.js made it, or it
// cannot be read or written, the program starts as well, some tens of milliseconds later.
enableCompileCache({ directory: join(import.meta.dirname, "cache"), portable: true });

const { main } = await import("./cli/program.ts");
process.exitCode = await main(process.argv.slice(2));
