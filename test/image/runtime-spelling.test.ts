// The digests that a runtime's or Kubernetes' spelling mentions.
import { describe, expect, it } from "vitest";
import { digestsIn, stripRuntimeScheme } from "../../src/image/runtime-spelling.ts";

const hex = "a1".repeat(32);
const digest = `sha256:${hex}`;
const sha512 = `sha512:${"b2".repeat(64)}`;

describe("digestsIn", () => {
  it.each([
    [hex],
    [digest],
    [`busybox@${digest}`],
    [`registry.example:5000/a/b:1@${digest}`],
    [`docker://${digest}`],
    [`docker://${hex}`],
    [`docker-pullable://registry.example/a@${digest}`],
    [`Not A Reference@${digest}`],
    [`moby-dangling@${digest}`],
  ])("finds the digest in %s", (text) => {
    expect(digestsIn(text)).toEqual([digest]);
  });

  it("finds every digest and every algorithm", () => {
    expect(digestsIn(`x@${digest}@${sha512}`)).toEqual([digest, sha512]);
  });

  it.each(["", "busybox", "busybox:1", hex.slice(1), `sha256:${hex.slice(1)}`, "a1a1a1", `x@${hex}`])(
    "finds none in %j",
    (text) => {
      expect(digestsIn(text)).toEqual([]);
    },
  );
});

describe("stripRuntimeScheme", () => {
  it("removes the scheme of an image ID, once and only at the start", () => {
    expect(stripRuntimeScheme("docker://docker://x")).toBe("docker://x");
    expect(stripRuntimeScheme("docker-pullable://repo@x")).toBe("repo@x");
    expect(stripRuntimeScheme("containerd://x")).toBe("containerd://x");
    expect(stripRuntimeScheme("repo/docker://x")).toBe("repo/docker://x");
  });
});
