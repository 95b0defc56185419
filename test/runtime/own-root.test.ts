// The filesystem of the images as a container's own root shows it.
import { statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { ownRootUsage, upperFolderOfRoot } from "../../src/runtime/own-root.ts";
import { createTempFolder } from "../support/temp.ts";

const snapshots = "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs";
const options = `rw,lowerdir=${snapshots}/snapshots/5/fs:${snapshots}/snapshots/4/fs,upperdir=${snapshots}/snapshots/7/fs,workdir=${snapshots}/snapshots/7/work,uuid=on`;
const inContainer = [
  `1042 873 0:231 / / ro,relatime master:411 - overlay overlay ${options}`,
  "1043 1042 0:234 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw",
  "1051 1042 259:1 /var/lib/prunelet /var/lib/prunelet rw,relatime - ext4 /dev/root rw,discard",
].join("\n");
const onHost = "22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw,discard";

describe("the writable layer of the own root", () => {
  it("is found in a container, as the host's path", () => {
    expect(upperFolderOfRoot(inContainer)).toBe(`${snapshots}/snapshots/7/fs`);
  });

  it("is that of the mount on top when the root was mounted over", () => {
    expect(upperFolderOfRoot(`${onHost}\n${inContainer}`)).toBe(`${snapshots}/snapshots/7/fs`);
  });

  it("keeps its blanks", () => {
    const line = "1 0 0:1 / / rw - overlay overlay rw,upperdir=/a\\040b/7/fs,workdir=/a\\040b/7/work";

    expect(upperFolderOfRoot(line)).toBe("/a b/7/fs");
  });

  it.each([
    ["on a host", onHost],
    ["without a writable layer", "1 0 0:1 / / ro - overlay overlay ro,lowerdir=/a:/b"],
    ["without a table", ""],
  ])("is not there %s", (_, mountinfo) => {
    expect(upperFolderOfRoot(mountinfo)).toBeUndefined();
  });
});

describe("the use of the own root's filesystem", () => {
  it("counts as that of the runtime's folder in which the layer lies", async () => {
    const usage = await ownRootUsage(["/var/lib/containerd/content", snapshots], tableOf(inContainer));

    const disk = statfsSync("/");
    expect(usage).toMatchObject({ path: snapshots, capacityBytes: disk.blocks * disk.bsize, inodes: disk.files });
  });

  it("is unknown when another runtime made the root: its images may be elsewhere", async () => {
    expect(await ownRootUsage(["/var/lib/other", `${snapshots}2`], tableOf(inContainer))).toBeUndefined();
  });

  it("is unknown without a table of mounts", async () => {
    expect(await ownRootUsage([snapshots], "/nonexistent/mountinfo")).toBeUndefined();
  });
});

function tableOf(mountinfo: string): string {
  const folder = createTempFolder();
  onTestFinished(folder.remove);
  const file = join(folder.path, "mountinfo");
  writeFileSync(file, mountinfo);
  return file;
}
