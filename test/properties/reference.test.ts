// What holds for every reference and every piece of text.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  criLookupKey,
  familiarName,
  formatReference,
  InvalidReferenceError,
  isCanonical,
  parseReference,
  tryParseReference,
  withDefaultTag,
} from "../../src/image/reference.ts";

const hexDigits = (length: number, alphabet = "0123456789abcdef") =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength: length, maxLength: length });
const run = fc.string({ unit: fc.constantFrom(..."abz019"), minLength: 1, maxLength: 6 });
const separator = fc.constantFrom(".", "_", "__", "-", "---");
const component = fc
  .tuple(run, fc.array(fc.tuple(separator, run), { maxLength: 2 }))
  .map(([first, more]) => first + more.flat().join(""));
const path = fc.array(component, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const domain = fc.constantFrom(
  "",
  "docker.io/",
  "index.docker.io/",
  "localhost/",
  "LOCAL/",
  "registry.example:5000/",
  "[fc00::1]:5000/",
);
const tag = fc.oneof(fc.constant(""), fc.constantFrom(":latest", ":V1.2-rc_3", ":_", `:${"t".repeat(128)}`));
const digest = fc.oneof(
  fc.constant(""),
  hexDigits(64).map((hex) => `@sha256:${hex}`),
  hexDigits(128).map((hex) => `@sha512:${hex}`),
);
const validText = fc.tuple(domain, path, tag, digest).map((parts) => parts.join(""));
const shards = fc.constantFrom(..."aA1._-/:@[]% \u00fc\u0000", "sha256:", "library/", "docker.io/", "a1".repeat(32));
const hostileText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.array(shards, { maxLength: 12 }).map((parts) => parts.join("")),
  validText,
);

describe("references", () => {
  it("accept every text that follows the grammar", () => {
    fc.assert(
      fc.property(validText, (text) => {
        expect(tryParseReference(text)).toBeDefined();
      }),
    );
  });

  it("give a reference or an InvalidReferenceError for any text, and nothing else", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        try {
          parseReference(text);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidReferenceError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("read their full form back as themselves", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const ref = tryParseReference(text);
        fc.pre(ref !== undefined);

        expect(parseReference(formatReference(ref))).toEqual(ref);
        expect(isCanonical(formatReference(ref))).toBe(true);
      }),
    );
  });

  it("read their short form back as the same image, unless the short form looks like a host or an ID", () => {
    fc.assert(
      fc.property(validText, (text) => {
        const ref = parseReference(text);
        const short = familiarName(ref);
        const misleading = ref.domain === "docker.io" && /^(?:[^/]*\.[^/]*\/|localhost\/|[0-9a-f]{64}$)/.test(short);
        fc.pre(!misleading);

        expect(formatReference(parseReference(short))).toBe(formatReference(ref));
      }),
    );
  });

  it("gain the default tag once, and never beside a digest", () => {
    fc.assert(
      fc.property(validText, (text) => {
        const ref = parseReference(text);
        const tagged = withDefaultTag(ref);

        expect(withDefaultTag(tagged)).toEqual(tagged);
        expect(tagged.tag).toBe(ref.tag ?? (ref.digest === undefined ? "latest" : undefined));
      }),
    );
  });

  it("have a CRI key that is a full form with a tag or a digest, never both", () => {
    fc.assert(
      fc.property(validText, (text) => {
        const key = parseReference(criLookupKey(parseReference(text)));

        expect((key.tag === undefined) !== (key.digest === undefined)).toBe(true);
      }),
    );
  });

  it("distinguish case in tags and refuse it in paths", () => {
    fc.assert(
      fc.property(component, run, (name, label) => {
        fc.pre(/[a-z]/.test(name) && /[a-z]/.test(label));

        expect(parseReference(`${name}:${label.toUpperCase()}`).tag).toBe(label.toUpperCase());
        expect(() => parseReference(name.toUpperCase())).toThrow("must be lowercase");
      }),
    );
  });
});
