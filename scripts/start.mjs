// `npm start`: sets everything up and runs prunelet on the embedded runtime. Flags pass through: `npm start -- plan`.
import { spawn } from "node:child_process";
import { build, bundle } from "./build.mjs";
import { projectNode } from "./setup.mjs";

build();
const args = process.argv.slice(2);
const command = args.length === 0 || args[0].startsWith("-") ? ["run", ...args] : args;
// A lively node needs a quick pace; every one of these gives way to the environment, and both to flags.
const pace = {
  PRUNELET_RUNTIME: "embedded",
  ...(command[0] === "run"
    ? {
        PRUNELET_INTERVAL: "5s",
        PRUNELET_LOG_FORMAT: "text",
        PRUNELET_POLICY_UNUSED_FOR: "15s",
        PRUNELET_POLICY_MIN_AGE: "5s",
        PRUNELET_HTTP_LISTEN: "127.0.0.1:9095",
      }
    : {}),
};
const child = spawn(projectNode, [bundle, ...command], {
  stdio: "inherit",
  env: { ...pace, ...process.env },
});
// Ctrl-C reaches the child by itself; this process only waits for its end.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => signal === "SIGTERM" && child.kill(signal));
child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 143)));
