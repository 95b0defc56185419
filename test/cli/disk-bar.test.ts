// The bar of a disk: the parts add up, the mark stands where it belongs, and it fits the terminal there is.
import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type DiskUse, diskBar, diskUse } from "../../src/cli/disk-bar.ts";
import { type Look, lookOf } from "../../src/cli/terminal.ts";
import { containerOf, imageOf } from "../support/node-builder.ts";
import { planScene } from "../support/planned.ts";

const GiB = 2 ** 30;
const ascii: Look = { width: 50, unicode: false, color: false };

const use: DiskUse = {
  path: "/var/lib/containerd",
  capacity: 100 * GiB,
  used: 60 * GiB,
  inUse: 20 * GiB,
  kept: 10 * GiB,
  reclaimable: 16 * GiB,
  other: 14 * GiB,
  free: 40 * GiB,
  target: 70 * GiB,
};

describe("the bar of a disk", () => {
  test("shows each part by its share, and how far pressure goes", () => {
    expect(diskBar(use, { ...ascii, width: 100 }).split("\n")).toEqual([
      "/var/lib/containerd: 60 GiB of 100 GiB used (60 %)",
      `${"#".repeat(20)}${"=".repeat(10)}${"+".repeat(14)}${"-".repeat(16)}${".".repeat(10)}|${".".repeat(29)}`,
      "# images in use 20 GiB  = images kept 10 GiB  + other 14 GiB  - this plan frees 16 GiB",
      ". free 40 GiB  | pressure frees down to 70 GiB",
    ]);
  });

  test("has block characters and colours where the terminal knows them", () => {
    const [, bar] = diskBar(use, { width: 20, unicode: true, color: true }).split("\n");

    // A colour for each part, not for each cell.
    expect(bar).toContain("\u001b[34m████\u001b[0m\u001b[36m▓▓\u001b[0m");
    expect(bar).toContain("\u001b[31m┃\u001b[0m");
    expect(uncolored(bar)).toBe("████▓▓▒▒▒░░░··┃·····");
  });

  test("has no mark where pressure is not handled", () => {
    expect(diskBar({ ...use, target: undefined }, ascii)).not.toContain("|");
  });

  test("is never wider than the terminal", () => {
    fc.assert(
      fc.property(fc.integer({ min: 44, max: 300 }), fc.boolean(), fc.boolean(), (width, unicode, color) => {
        const lines = diskBar(use, { width, unicode, color }).split("\n").slice(1);
        return lines.every((line) => uncolored(line).length <= width);
      }),
    );
  });
});

describe("what a plan says of a disk", () => {
  const [used, spare, pinned] = [imageOf("used"), imageOf("spare"), { ...imageOf("pinned"), pinned: true }];
  const plan = planScene({
    namespace: "default",
    images: [used, spare, pinned],
    names: [
      ["r/used:1", used],
      ["r/spare:1", spare],
      ["r/pinned:1", pinned],
    ],
    containers: [containerOf("c", { image: "r/used:1", imageId: used.id })],
  });
  const disk = { path: "/d", capacityBytes: 100_000, usedBytes: 20_000, inodes: 0, inodesUsed: 0 };

  test("is in use, kept, would be freed, or is something else", () => {
    expect(diskUse(disk, plan, 70_000)).toEqual({
      path: "/d",
      capacity: 100_000,
      used: 20_000,
      inUse: 3_300,
      kept: 3_300,
      reclaimable: 3_300,
      other: 20_000 - 3 * 3_300,
      free: 80_000,
      target: 70_000,
    });
  });

  test("adds up to the disk, also where the images say that they take more than is used", () => {
    fc.assert(
      fc.property(fc.nat(20_000), fc.nat(20_000), (capacityBytes, usedBytes) => {
        const parts = diskUse({ ...disk, capacityBytes, usedBytes }, plan, undefined);
        const { inUse, kept, reclaimable, other, free } = parts;
        expect([inUse, kept, reclaimable, other, free].every((bytes) => bytes >= 0)).toBe(true);
        expect(inUse + kept + reclaimable + other + free).toBe(capacityBytes);
      }),
    );
  });
});

describe("a terminal", () => {
  const env = { TERM: "xterm-256color", LANG: "en_US.UTF-8" };

  test.each([
    ["nobody watches", {}, env, undefined],
    ["it knows everything", { isTTY: true, columns: 120 }, env, { width: 120, unicode: true, color: true }],
    ["its width is unknown", { isTTY: true }, env, { width: 80, unicode: true, color: true }],
    ["no colour is asked for", { isTTY: true }, { ...env, NO_COLOR: "1" }, { width: 80, unicode: true, color: false }],
    ["NO_COLOR is empty", { isTTY: true }, { ...env, NO_COLOR: "" }, { width: 80, unicode: true, color: true }],
    ["the locale is no UTF-8", { isTTY: true }, { ...env, LANG: "C" }, { width: 80, unicode: false, color: true }],
    [
      "one locale goes over the other",
      { isTTY: true },
      { ...env, LC_ALL: "C" },
      { width: 80, unicode: false, color: true },
    ],
    ["it is dumb", { isTTY: true }, { ...env, TERM: "dumb" }, { width: 80, unicode: false, color: false }],
    [
      "it is the kernel's console",
      { isTTY: true },
      { ...env, TERM: "linux" },
      { width: 80, unicode: false, color: true },
    ],
  ])("is taken as it is when %s", (_, screen, variables, expected) => {
    expect(lookOf(screen, variables)).toEqual(expected);
  });
});

function uncolored(text = ""): string {
  return stripVTControlCharacters(text);
}
