// Questions about things that may be gone by the time they are asked.
import { RuntimeError } from "../runtime-error.ts";

/** What was asked for, or `instead` when the daemon says that there is no such thing. */
export async function whenGone<Found, Instead>(asked: Promise<Found>, instead: Instead): Promise<Found | Instead> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "not-found") return instead;
    throw error;
  }
}
