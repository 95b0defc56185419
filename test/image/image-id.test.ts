// Image IDs and the record names that are no references.
import { describe, expect, it } from "vitest";
import { toDigest } from "../../src/image/digest.ts";
import { danglingName, isDanglingName, isIdName, isIdPrefix, parseAny, shortIdHex } from "../../src/image/image-id.ts";

const hex = "a1".repeat(32);
const digest = digestOf(`sha256:${hex}`);

describe("parseAny", () => {
  it.each([hex, `sha256:${hex}`])("reads %s as an image ID", (text) => {
    expect(parseAny(text)).toEqual({ kind: "id", digest });
  });

  it.each([hex.slice(1), `sha256:${hex.slice(1)}`, `sha256:${hex.toUpperCase()}`, `docker.io/${hex}`])(
    "reads %s as a name",
    (text) => {
      expect(parseAny(text).kind).toBe("reference");
    },
  );

  it("refuses the empty text", () => {
    expect(() => parseAny("")).toThrow("invalid reference format");
  });
});

describe("shortIdHex", () => {
  it.each(["a1a1", "sha256:a1a1", hex, `sha256:${hex}`])("accepts %s", (text) => {
    expect(shortIdHex(text)).toBe(text.replace("sha256:", ""));
  });

  it.each(["", "a1a", "sha256:a1a", `${hex}a`, "A1A1", "a1a1:latest", "sha512:a1a1", "a1a1\n"])(
    "refuses %j",
    (text) => {
      expect(shortIdHex(text)).toBeUndefined();
    },
  );
});

describe("isIdPrefix", () => {
  it.each(["", "s", "sha256", "sha256:", "a", hex, digest])("takes %j of any length", (text) => {
    expect(isIdPrefix(text, digest)).toBe(true);
  });

  it.each(["b", "A1", "sha256:b", `${hex}a`, "sha512:a1"])("refuses %j", (text) => {
    expect(isIdPrefix(text, digest)).toBe(false);
  });
});

describe("record names that are no references", () => {
  it("knows an ID name by its exact shape", () => {
    expect(isIdName(digest)).toBe(true);
    expect(isIdName(hex)).toBe(false);
    expect(isIdName(`docker.io/library/${digest}`)).toBe(false);
  });

  it("knows a dangling record only on its own target", () => {
    const other = digestOf(`sha256:${"b2".repeat(32)}`);

    expect(isDanglingName(danglingName(digest), digest)).toBe(true);
    expect(isDanglingName(danglingName(digest), other)).toBe(false);
    expect(isDanglingName(`docker.io/library/${danglingName(digest)}`, digest)).toBe(false);
  });
});

function digestOf(text: string) {
  const found = toDigest(text);
  if (found === undefined) throw new Error(`${text} is no digest`);
  return found;
}
