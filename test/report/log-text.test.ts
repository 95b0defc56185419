// The log for people: whatever stands in a name or in what a daemon said, a line stays a line of text.
import { expect, test } from "vitest";
import { readableMessage } from "../../src/report/log-text.ts";

const control = "\u001b[2K\u001b]0;title\u0007";

test("shows control characters of names and causes as such", () => {
  const untagged = readableMessage({ msg: "untagged", name: `x:1${control}`, reason: "unused" }, "msg");
  const failed = readableMessage({ msg: "round failed", cause: `list images: ${control}\n\u009bX\u202e` }, "msg");

  expect(untagged).toBe("untagged x:1\\u001b[2K\\u001b]0;title\\u0007 (unused)");
  expect(failed).toBe("round failed: list images: \\u001b[2K\\u001b]0;title\\u0007\\n\\u009bX\\u202e");
});
