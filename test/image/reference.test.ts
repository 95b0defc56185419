// Parsing and showing references, against the recorded table and by hand-picked cases.
import { describe, expect, it } from "vitest";
import { parseAny, shortIdHex } from "../../src/image/image-id.ts";
import {
  criLookupKey,
  familiarName,
  formatReference,
  InvalidReferenceError,
  isCanonical,
  parseReference,
  repositoryOf,
  tryParseReference,
  withDefaultTag,
} from "../../src/image/reference.ts";
import { type ReferenceVector, referenceVectors } from "../support/vectors/reference-vectors.ts";

const hex = "a1".repeat(32);
const digest = `sha256:${hex}`;

describe("the recorded table of references", () => {
  it.each(referenceVectors())("$id reads $input", (row) => {
    const reading = readAll(row.input);

    expect(reading).toEqual(expectedReading(row));
  });
});

describe("parseReference", () => {
  it.each([
    ["HOST_NAME/x", "repository name must be lowercase"],
    ["host_name:80/x", "invalid reference format"],
    [`busybox:1@SHA256:${hex}`, "invalid checksum digest format"],
    [`busybox@sha256:${"a".repeat(40)}`, "invalid checksum digest length"],
    [`busybox@a1+1:${hex}`, "invalid reference format"],
    [`busybox@a1+b:${hex}`, "unsupported digest algorithm"],
    [`busybox@constructor:${hex}`, "unsupported digest algorithm"],
    ["a".repeat(260).concat("/", "-"), "invalid reference format"],
    ["busybox\n", "invalid reference format"],
    ["example.com:/x", "invalid reference format"],
    ["a--.b/x", "invalid reference format"],
  ])("refuses %j", (text, message) => {
    expect(() => parseReference(text)).toThrow(new InvalidReferenceError(message));
  });

  it("keeps the domain empty when an underscore makes the host a path", () => {
    const ref = parseReference("foo_bar.com/x:1");

    expect(ref).toEqual({ domain: "", path: "foo_bar.com/x", tag: "1" });
    expect(repositoryOf(ref)).toBe("foo_bar.com/x");
  });

  it("counts the length of the path without the domain", () => {
    const longest = "a".repeat(255);

    expect(parseReference(`registry.example.com:5000/${longest}`).path).toBe(longest);
    expect(() => parseReference(`registry.example.com:5000/${longest}a`)).toThrow("more than 255");
  });

  it.each([
    ["a run of letters", "a".repeat(100_000)],
    ["letters before a wrong end", `${"a".repeat(100_000)}!`],
    ["dashes", `a${"-".repeat(100_000)}`],
    ["dashes between letters", "a-".repeat(50_000)],
    ["slashes", "/".repeat(100_000)],
    ["components", `${"a/".repeat(50_000)}!`],
    ["colons in brackets", `[${":".repeat(100_000)}/x`],
    ["digits of a port", `a:${"1".repeat(100_000)}!/x`],
    ["labels of a host", `${"a-a.".repeat(25_000)}-/x`],
    ["parts of an algorithm", `x@${"a+".repeat(50_000)}`],
    ["hexadecimal digits", `x@sha256:${"a".repeat(100_000)}!`],
    ["at signs", "@".repeat(100_000)],
    ["upper case", "A".repeat(100_000)],
  ])("takes no longer over 100,000 characters of %s", (_what, text) => {
    const startedAt = performance.now();

    expect(tryParseReference(text)).toBeUndefined();
    expect(performance.now() - startedAt).toBeLessThan(200);
  });

  it("reads 10,000 names in a moment", () => {
    const names = Array.from(
      { length: 10_000 },
      (_, n) => `registry.example.com/team-${n % 40}/app_${n}:v${n}@${digest}`,
    );
    names.forEach(parseReference);
    const startedAt = performance.now();

    names.forEach(parseReference);

    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});

function readAll(text: string) {
  const ref = tryParseReference(text);
  return {
    any: attempt(() => readAny(text)) ?? null,
    normalized: ref ? formatReference(ref) : null,
    error: ref ? null : messageOf(() => parseReference(text)),
    domain: ref?.domain ?? null,
    path: ref?.path ?? null,
    tag: ref?.tag ?? null,
    digest: ref?.digest ?? null,
    withDefaultTag: ref ? formatReference(withDefaultTag(ref)) : null,
    familiar: ref ? familiarName(withDefaultTag(ref)) : null,
    criLookup: ref ? criLookupKey(ref) : null,
    canonical: isCanonical(text),
    shortIdHex: shortIdHex(text) ?? null,
  };
}

function expectedReading(row: ReferenceVector) {
  const { any, normalized, error, domain, path, tag, digest, withDefaultTag, familiar, criLookup } = row;
  const { canonical, shortIdHex } = row;
  return {
    any,
    normalized,
    error,
    domain,
    path,
    tag,
    digest,
    withDefaultTag,
    familiar,
    criLookup,
    canonical,
    shortIdHex,
  };
}

function readAny(text: string): string {
  const reading = parseAny(text);
  return reading.kind === "id" ? reading.digest : formatReference(reading.reference);
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

function messageOf(action: () => unknown): string | null {
  try {
    action();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
