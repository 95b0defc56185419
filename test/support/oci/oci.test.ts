// The builders of test images: their archives are what other tools read, their digests what the specification says.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { buildImage } from "./image.ts";
import { buildLayer, chainIdsOf } from "./layer.ts";
import { toLayoutTar } from "./layout.ts";
import { buildIndex } from "./multi-platform.ts";
import { createTar } from "./tar.ts";

const lower = buildLayer({ "etc/motd": "hello\n", "bin/run": { content: "#!/bin/sh\n", mode: 0o755 } });
const upper = buildLayer({ "srv/link": { linkTo: "../etc/motd" } }, { gzip: false });

describe("the tar writer", () => {
  test("writes archives that tar reads: files, folders, links, modes, long paths", () => {
    const folder = "deep/".repeat(30);
    const long = `${folder}file`;

    const archive = createTar([
      { kind: "directory", path: "a" },
      { kind: "file", path: "a/run", content: Buffer.from("12345"), mode: 0o755 },
      { kind: "symlink", path: "a/link", target: "run" },
      { kind: "file", path: long, content: new Uint8Array() },
    ]);

    const rows = listTar(archive);
    expect(rows[0]).toMatch(/^drwxr-xr-x .* a\/$/);
    expect(rows[1]).toMatch(/^-rwxr-xr-x .*\s5 .* a\/run$/);
    expect(rows[2]).toMatch(/^lrwxrwxrwx .* a\/link -> run$/);
    expect(rows[3]?.endsWith(` ${long}`)).toBe(true);
  });

  test("refuses a path that the format cannot hold", () => {
    const path = "x".repeat(101);

    const attempt = () => createTar([{ kind: "file", path, content: new Uint8Array() }]);

    expect(attempt).toThrow("path too long");
  });
});

describe("layers and images", () => {
  test("have the same digests every time they are built", () => {
    const again = buildLayer({ "bin/run": { content: "#!/bin/sh\n", mode: 0o755 }, "etc/motd": "hello\n" });

    expect(again.blob.descriptor).toEqual(lower.blob.descriptor);
    expect(again.diffId).toBe(lower.diffId);
  });

  test("name a compressed layer by what is stored and by what is in it", () => {
    const { blob, diffId } = lower;

    expect(blob.descriptor.digest).toBe(digestOf(blob.bytes));
    expect(diffId).toBe(digestOf(gunzipSync(blob.bytes)));
    expect(upper.blob.descriptor.digest).toBe(upper.diffId);
  });

  test("chain layers as the specification says", () => {
    const [first, second] = chainIdsOf([lower.diffId, upper.diffId]);

    expect(first).toBe(lower.diffId);
    expect(second).toBe(digestOf(Buffer.from(`${lower.diffId} ${upper.diffId}`)));
  });

  test("hold every blob before whatever points to it, each once", () => {
    const image = buildImage({ layers: [lower, upper, lower] });

    const digests = image.blobs.map((blob) => blob.descriptor.digest);

    expect(digests).toEqual([lower.blob.descriptor.digest, upper.diffId, image.config.digest, image.manifest.digest]);
  });

  test("leave the content of absent platforms out of the archive, but list them in the index", () => {
    const here = buildImage({ layers: [lower] });
    const elsewhere = buildImage({ layers: [upper], platform: { os: "linux", architecture: "s390x" } });
    const index = buildIndex([here, elsewhere], { leaveOut: [elsewhere] });

    const paths = listTar(toLayoutTar([{ image: index, names: ["example.org/a:1"] }])).join("\n");

    expect(paths).toContain(here.manifest.digest.slice(7));
    expect(paths).not.toContain(elsewhere.manifest.digest.slice(7));
    expect(Buffer.from(index.blobs.at(-1)?.bytes ?? []).toString()).toContain(elsewhere.manifest.digest);
    expect(index.complete.blobs.map((blob) => blob.descriptor.digest)).toContain(elsewhere.config.digest);
  });
});

function listTar(archive: Buffer): readonly string[] {
  return execFileSync("tar", ["--list", "--verbose", "--file", "-"], { input: archive, encoding: "utf8" })
    .trim()
    .split("\n");
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
