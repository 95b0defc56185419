// What a person reads when a command cannot do its work.
import { expect } from "vitest";
import type { RunResult } from "./prunelet.ts";

/** The command ended with this code, one line on stderr that matches, and nothing on stdout. */
export function expectOneLine({ code, stdout, stderr }: RunResult, expected: number, message: RegExp): void {
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^prunelet: [^\n]+\n$/);
  expect({ code, stdout }).toEqual({ code: expected, stdout: "" });
}
