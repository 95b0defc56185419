// Waiting for conditions with a deadline, instead of sleeping for luck.
import { setTimeout as sleep } from "node:timers/promises";

export interface WaitOptions {
  /** Milliseconds until the wait fails. Default 30 000: what comes at once on an idle machine may take long on a busy one. */
  readonly timeoutMs?: number;
  /** Milliseconds between two looks. Default 25. */
  readonly intervalMs?: number;
}

/**
 * Looks until `condition` gives something truthy and returns that. A condition that throws counts as "not yet". Fails after
 * the deadline with an error that says what was waited for, for how long, and the last error or value seen.
 */
export async function waitFor<T>(
  description: string,
  condition: () => T | Promise<T>,
  { timeoutMs = 30_000, intervalMs = 25 }: WaitOptions = {},
): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const look = await tryOnce(condition);
    if (look.value) return look.value;
    if (Date.now() >= deadline) {
      throw new Error(`waited ${timeoutMs} ms in vain for ${description}${look.seen}`, { cause: look.error });
    }
    await sleep(intervalMs);
  }
}

interface Look<T> {
  readonly value?: T | undefined;
  readonly error?: unknown;
  readonly seen: string;
}

async function tryOnce<T>(condition: () => T | Promise<T>): Promise<Look<T>> {
  try {
    const value = await condition();
    return { value, seen: ` (last seen: ${String(value)})` };
  } catch (error) {
    return { error, seen: ` (last error: ${error instanceof Error ? error.message : String(error)})` };
  }
}
