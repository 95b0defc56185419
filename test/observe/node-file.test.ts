// Node files: what is written is read back, and what cannot be read is explained in one line.
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  checkWritable,
  formatNodeFile,
  parseNodeFile,
  readNodeFile,
  writeNodeFile,
} from "../../src/observe/node-file.ts";
import { nodeFileJsonSchema } from "../../src/observe/node-file-schema.ts";
import { digestOf, imageOf, nameOf, namespaceOf, nodeOf } from "../support/node-builder.ts";
import { nodeState } from "./node-file-arbitrary.ts";

const now = Date.UTC(2026, 10, 1);
const target = digestOf("target");
const parse = (value: unknown) => parseNodeFile(JSON.stringify(value), { now });
const withName = (fields: object) => ({
  namespaces: [{ name: "default", names: [{ name: "x:1", target, ...fields }] }],
});

describe("a node file", () => {
  it("gives back every state that was written", () => {
    fc.assert(
      fc.property(nodeState, (state) => {
        expect(parseNodeFile(formatNodeFile(state), { now })).toEqual({ state });
      }),
    );
  });

  it.each([-1, 8.64e15, Date.UTC(10_000, 0), Date.parse("-000001-01-01T00:00:00Z")])(
    "can be read again though an image says that it was built at %d",
    (createdAt) => {
      const images = [{ ...imageOf("x"), createdAt }];

      const { state } = parseNodeFile(formatNodeFile(nodeOf({ namespaces: [namespaceOf("default", { images })] })), {
        now,
      });

      expect(state.namespaces[0]?.images[0]?.createdAt).toBe(createdAt === -1 ? -1 : undefined);
    },
  );

  it("gives back the history that was written, whatever it is", () => {
    const history = { version: 3, seen: [null, { at: 5 }] };

    const content = parseNodeFile(formatNodeFile(nodeOf(), history), { now });

    expect(content).toEqual({ state: nodeOf(), history });
  });

  it("gives back how full the disks were", () => {
    const disks = [{ path: "/d", capacityBytes: 10, usedBytes: 9, inodes: 8, inodesUsed: 7 }];

    const content = parseNodeFile(formatNodeFile(nodeOf(), undefined, disks), { now });

    expect(content).toEqual({ state: nodeOf(), filesystems: disks });
  });

  it("believes what kinds of digests an image has only for the digests that were written with them", () => {
    const image = { target, id: digestOf("config"), digests: [target, target], digestKinds: ["index", "index"] };

    const { state } = parse({ namespaces: [{ name: "default", names: [], images: [image] }] });

    expect(state.namespaces[0]?.images[0]).not.toHaveProperty("digestKinds");
  });

  it("needs no more than names and containers", () => {
    const { state } = parse({
      namespaces: [
        { names: [{ name: "x:1", target }], containers: [{ image: "x:1", imageId: target, state: "running" }] },
      ],
    });

    const container = { id: "container-1", image: "x:1", imageId: target, state: "running", kind: "container" };
    expect(state).toEqual({
      takenAt: now,
      runtime: { kind: "embedded", version: "unknown" },
      namespaces: [
        {
          name: "default",
          names: [{ name: "x:1", target, labels: {} }],
          images: [],
          containers: [{ ...container, otherImageIds: [], snapshotKey: "", imageMounts: [] }],
          held: { blobs: [], snapshots: [] },
        },
      ],
      foreignBlobs: [],
      pods: null,
    });
  });

  it("fills in the rest of an image of which only the target is told", () => {
    const { state } = parse({ namespaces: [{ name: "default", images: [{ target }] }] });

    expect(state.namespaces[0]?.images).toEqual([
      { target, id: target, digests: [target], pinned: false, blobs: [], snapshots: [] },
    ]);
  });

  it.each([
    ["null labels", { labels: null }, {}],
    ["a null time", { createdAt: null }, {}],
    ["Go's zero time", { createdAt: "0001-01-01T00:00:00Z" }, {}],
    [
      "nanoseconds and an offset",
      { updatedAt: "2026-01-01T02:00:00.123456789+02:00" },
      { updatedAt: Date.UTC(2026, 0, 1, 0, 0, 0, 123) },
    ],
    ["unknown fields", { colour: "blue" }, {}],
  ])("accepts %s", (_, fields, expected) => {
    const { state } = parse(withName(fields));

    expect(state.namespaces[0]?.names).toEqual([{ name: "x:1", target, labels: {}, ...expected }]);
  });

  it.each([
    ["stopped", "exited"],
    ["Running", "running"],
    ["who knows", "unknown"],
    [null, "unknown"],
  ])("reads the container state %s as %s", (text, expected) => {
    const { state } = parse({ namespaces: [{ containers: [{ id: "c", state: text }] }] });

    expect(state.namespaces[0]?.containers[0]?.state).toBe(expected);
  });

  it("is indented when it is short and compact when it is long", () => {
    const names = Array.from({ length: 20_000 }, (_, index) => nameOf(`registry.example/app:${index}`, target));

    const short = formatNodeFile(nodeOf());
    const long = formatNodeFile(nodeOf({ namespaces: [namespaceOf("k8s.io", { names })] }));

    expect(short).toMatch(/^\{\n {2}"takenAt"/);
    expect(long.trimEnd()).not.toContain("\n");
  });
});

describe("a wrong node file", () => {
  const mend = 'correct it or capture the node again with "prunelet snapshot"';

  it.each([
    [
      "a target that is no digest",
      withName({ target: "busybox" }),
      /namespaces\[0\]\.names\[0\]\.target: found "busybox", allowed is a digest \(sha256/,
    ],
    ["a digest in upper case", withName({ target: target.toUpperCase() }), /names\[0\]\.target: found "SHA256/],
    [
      "a missing target",
      { namespaces: [{ names: [{ name: "x" }] }] },
      /names\[0\]\.target: found nothing, allowed is a digest/,
    ],
    [
      "a time in words",
      withName({ createdAt: "yesterday" }),
      /names\[0\]\.createdAt: found "yesterday", allowed is an RFC 3339 time/,
    ],
    ["a number for text", withName({ name: 7 }), /names\[0\]\.name: found 7, allowed is text/],
    ["an object for an array", { namespaces: {} }, /namespaces: found an object, allowed is an array/],
    ["no namespaces", { takenAt: null }, /namespaces: found nothing, allowed is an array/],
    ["an array for the whole", [], /the whole file: found an array, allowed is an object/],
    ["a label that is no text", withName({ labels: { a: 1 } }), /names\[0\]\.labels\.a: found 1, allowed is text/],
    [
      "an unknown kind",
      { runtime: { kind: "rkt" }, namespaces: [] },
      /runtime\.kind: found "rkt", allowed is one of containerd, cri, docker, embedded/,
    ],
    [
      "a negative size",
      { namespaces: [{ images: [{ target, blobs: [{ digest: target, size: -1 }] }] }] },
      /blobs\[0\]\.size: found -1, allowed is a size in bytes/,
    ],
    [
      "a name that is there twice",
      {
        namespaces: [
          {
            names: [
              { name: "x", target },
              { name: "x", target },
            ],
          },
        ],
      },
      /names\[1\]\.name: found "x", allowed is a name that no earlier entry has/,
    ],
  ])("is refused for %s, naming the place", (_, value, message) => {
    const parsing = () => parse(value);

    expect(parsing).toThrow(message);
    expect(parsing).toThrow(mend);
  });

  it("is refused with five problems listed and the others counted", () => {
    const names = Array.from({ length: 8 }, (_, index) => ({ name: `x:${index}`, target: "no" }));

    const parsing = () => parse({ namespaces: [{ names }] });

    expect(parsing).toThrow(/names\[4\]\.target: found "no".*; and 3 more;/);
    expect(parsing).not.toThrow(/names\[5\]/);
  });

  it.each([
    ["an empty file", " \n", "the file is empty"],
    ["text", "hello\nworld", "not JSON: Unexpected token"],
    [
      "a file cut in a string",
      '{"namespaces": [{"na',
      "not JSON: the text ends in the middle after 20 characters (truncated?)",
    ],
    ["a file cut between fields", '{"namespaces": [],', "truncated?"],
  ])("is refused in one line for %s", (_, text, message) => {
    const parsing = () => parseNodeFile(text, { now });

    expect(parsing).toThrow(`node file: ${message.includes("truncated?") ? "not JSON: " : message}`);
    expect(parsing).toThrow(message);
    expect(parsing).not.toThrow(/\n/);
  });
});

describe("reading and writing a node file", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "node-file-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const state = nodeOf({
    namespaces: [namespaceOf("default", { names: [nameOf("x:1", imageOf("x").target)], images: [imageOf("x")] })],
  });

  it("writes through no link that stands where the draft is to be", async () => {
    await writeFile(join(folder, "other"), "as it was");
    await symlink("other", join(folder, `.node.json.${process.pid}.tmp`));

    await checkWritable(join(folder, "node.json"));
    await symlink("other", join(folder, `.node.json.${process.pid}.tmp`));
    await writeNodeFile(join(folder, "node.json"), nodeOf());

    expect(await readFile(join(folder, "other"), "utf8")).toBe("as it was");
    expect(await readFile(join(folder, "node.json"), "utf8")).toBe(formatNodeFile(nodeOf()));
  });

  it("writes in one step, over an older file and through a link, and leaves nothing else behind", async () => {
    await writeFile(join(folder, "real.json"), "old");
    await symlink("real.json", join(folder, "link.json"));

    await writeNodeFile(join(folder, "link.json"), state, [1]);
    const content = await readNodeFile(join(folder, "real.json"), { now });

    expect(content).toEqual({ state, history: [1] });
    expect(await readdir(folder)).toEqual(["link.json", "real.json"]);
  });

  it("reads a file with a byte order mark", async () => {
    await writeFile(join(folder, "bom.json"), `\uFEFF${formatNodeFile(state)}`);

    const content = await readNodeFile(join(folder, "bom.json"), { now });

    expect(content).toEqual({ state });
  });

  it("tells in one line why a file cannot be read", async () => {
    const path = (name: string) => join(folder, name);
    await mkdir(path("folder"));
    execFileSync("mkfifo", [path("pipe")]);
    await writeFile(path("bytes"), Uint8Array.of(0x7b, 0xff));
    await writeFile(path("large"), "");
    await truncate(path("large"), 513 * 1024 ** 2);

    const messageOf = (name: string) =>
      readNodeFile(path(name), { now }).catch((error: Error) => `${error.name}: ${error.message}`);

    expect(await messageOf("none")).toBe(
      `NodeFileError: node file ${path("none")}: cannot be read: there is no such file; check the path`,
    );
    expect(await messageOf("folder")).toMatch(/folder: is a directory; give a JSON file$/);
    expect(await messageOf("pipe")).toMatch(/pipe: is not a regular file; give a JSON file$/);
    expect(await messageOf("bytes")).toMatch(/bytes: not JSON: the bytes are not UTF-8 text/);
    expect(await messageOf("large")).toMatch(/large: larger than 512 MiB/);
  });

  it("tells in one line why a file cannot be written, and keeps the old one", async () => {
    await mkdir(join(folder, "folder"));

    const messageOf = async (path: string) => {
      const [before, after] = await Promise.all(
        [checkWritable(path), writeNodeFile(path, state)].map((work) => work.then(() => "", String)),
      );
      // What a device takes is known only when it is written to.
      if (path !== "/dev/full") expect(before).toBe(after);
      return after;
    };

    expect(await messageOf(join(folder, "none/x.json"))).toMatch(
      /^NodeFileError: node file .*: cannot be written: there is no folder/,
    );
    expect(await messageOf(join(folder, "folder"))).toMatch(/cannot be written: it is a directory/);
    expect(await messageOf("/dev/full")).toMatch(/cannot be written: the disk is full; free some space/);
    expect(await readdir(folder)).toEqual(["folder"]);
  });

  it("is not touched by the question whether it could be written", async () => {
    await writeFile(join(folder, "old.json"), "old");

    await checkWritable(join(folder, "old.json"));
    await checkWritable(join(folder, "new.json"));

    expect(await readdir(folder)).toEqual(["old.json"]);
    expect(await readFile(join(folder, "old.json"), "utf8")).toBe("old");
  });
});

describe("the schema in the docs", () => {
  it("is the one in the code (when this fails, run `npm run generate`)", async () => {
    const written = JSON.parse(await readFile(new URL("../../docs/node-file.schema.json", import.meta.url), "utf8"));

    expect(written).toEqual(nodeFileJsonSchema());
  });

  it("accepts every file that is written", () => {
    const accepts = new Ajv2020({ validateFormats: false }).compile(nodeFileJsonSchema());

    fc.assert(
      fc.property(nodeState, (state) => {
        expect(accepts(JSON.parse(formatNodeFile(state))), JSON.stringify(accepts.errors)).toBe(true);
      }),
    );
  });
});
