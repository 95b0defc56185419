// Why a name that was to go is still there, or was not taken by us, in words.
import type { NameResult } from "../act/outcome.ts";

/** One line for people; undefined for a name that was removed. */
export function whyLeft(result: NameResult): string | undefined {
  switch (result.kind) {
    case "already-gone":
      return "somebody else removed it";
    case "moved":
      return "it points to another image by now";
    case "in-use":
    case "skipped":
    case "failed":
      return result.message;
    case "removed":
      return undefined;
  }
}
