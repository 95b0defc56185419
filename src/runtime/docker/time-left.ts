// One limit for all calls that a method of the port makes.
import type { CallOptions } from "../runtime.ts";

/** The same options, but each call that reads `timeoutMs` gets what is left of it by then. */
export function timeLeft<Options extends CallOptions>(options?: Options): Options | undefined {
  if (options?.timeoutMs === undefined) return options;
  const endsAt = performance.now() + options.timeoutMs;
  return {
    ...options,
    get timeoutMs() {
      return Math.max(0, Math.round(endsAt - performance.now()));
    },
  };
}
