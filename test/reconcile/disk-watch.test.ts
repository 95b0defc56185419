// Looks at the filesystem of the images: what is demanded, and what is said when it cannot be judged.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { configSchema } from "../../src/config/schema.ts";
import { DiskWatch, type DiskWatchInput, type PressureSettings } from "../../src/reconcile/disk-watch.ts";
import type { ReportEvent } from "../../src/report/event.ts";
import { createEmbeddedRuntime } from "../../src/runtime/embedded/embedded-runtime.ts";
import type { FilesystemUsage } from "../../src/runtime/runtime.ts";
import { RuntimeError } from "../../src/runtime/runtime-error.ts";
import { nodeOf } from "../support/node-builder.ts";

const { high, low, emergency, inodes, check } = configSchema.parse({}).pressure;
const usual: PressureSettings = { watermarks: { bytes: { high, low, emergency }, inodes }, check };

function filesystem(path: string, more: Partial<FilesystemUsage> = {}): FilesystemUsage {
  return { path, capacityBytes: 1_000, usedBytes: 500, inodes: 100, inodesUsed: 10, ...more };
}

function watch(found: readonly FilesystemUsage[] | RuntimeError, usageOfPath?: DiskWatchInput["usageOfPath"]) {
  const events: ReportEvent[] = [];
  const runtime = {
    ...createEmbeddedRuntime(nodeOf()),
    filesystems: async () => {
      if (found instanceof RuntimeError) throw found;
      return found;
    },
  };
  const { signal } = new AbortController();
  const report = (event: ReportEvent) => void events.push(event);
  const disk = new DiskWatch({ runtime, report, signal, ...(usageOfPath === undefined ? {} : { usageOfPath }) });
  return { disk, events, said: () => events.flatMap((event) => ("message" in event ? [event.message] : [])) };
}

describe("a filesystem that hangs", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("does not hold the loop for ever, is told once, and is not asked again before it has answered", async () => {
    let asked = 0;
    let answer = (_: FilesystemUsage): void => undefined;
    const hanging = (): Promise<FilesystemUsage> => {
      asked += 1;
      return new Promise((resolve) => {
        answer = resolve;
      });
    };
    const { disk, said } = watch([filesystem("/images")], hanging);
    const settings = { ...usual, path: "/images" };

    const first = disk.look(settings, false);
    await vi.advanceTimersByTimeAsync(20_000);
    const looks = [await first, await disk.look(settings, false)];
    answer(filesystem("/images"));
    await vi.advanceTimersByTimeAsync(0);
    const again = disk.look(settings, false);
    await vi.advanceTimersByTimeAsync(0);
    answer(filesystem("/images"));

    expect(looks).toEqual([undefined, undefined]);
    expect(said()).toEqual([expect.stringMatching(/^no answer in 20 s/)]);
    expect(asked).toBe(2);
    expect((await again)?.filesystem.path).toBe("/images");
  });
});

describe("a look at the filesystem", () => {
  it("demands nothing while there is space, and tells how full it is", async () => {
    const { disk, events } = watch([filesystem("/images")]);

    const look = await disk.look(usual, false);

    expect(look).toEqual({ filesystem: filesystem("/images"), demand: undefined });
    expect(events).toEqual([{ kind: "filesystem-seen", filesystem: filesystem("/images"), demand: undefined }]);
  });

  it("follows the filesystem under pressure where content and snapshots lie on different ones", async () => {
    const { disk, events } = watch([filesystem("/snapshots"), filesystem("/content", { usedBytes: 850 })]);

    const look = await disk.look(usual, false);

    expect(look).toMatchObject({ filesystem: { path: "/content" }, demand: { mode: "pressure", bytes: 150 } });
    expect(events).toHaveLength(2);
  });

  it("follows the fuller one of two, and an emergency of inodes before a fuller one", async () => {
    const first = watch([filesystem("/a", { usedBytes: 850 }), filesystem("/b", { usedBytes: 900 })]);
    const second = watch([filesystem("/a", { usedBytes: 910 }), filesystem("/b", { inodesUsed: 99 })]);

    expect((await first.disk.look(usual, false))?.filesystem.path).toBe("/b");
    expect((await second.disk.look(usual, false))?.filesystem.path).toBe("/b");
  });

  it("says once that the filesystem cannot be seen, and again when that changed meanwhile", async () => {
    const found: FilesystemUsage[] = [];
    const { disk, events } = watch(found);

    const looks = [await disk.look(usual, false), await disk.look(usual, false)];
    found.push(filesystem("/images"));
    await disk.look(usual, false);
    found.pop();
    await disk.look(usual, false);

    expect(looks).toEqual([undefined, undefined]);
    expect(events.map(({ kind }) => kind)).toEqual(["filesystem-unseen", "filesystem-seen", "filesystem-unseen"]);
    expect(events[0]).toMatchObject({ message: expect.stringContaining("set pressure.path") });
  });

  it("says that the runtime does not answer", async () => {
    const { disk, said } = watch(new RuntimeError("unavailable", "list plugins", "no socket"));

    expect(await disk.look(usual, false)).toBeUndefined();
    expect(said()).toEqual(["the runtime does not tell where its images are: list plugins: no socket"]);
  });

  it("refuses marks that contradict each other on a filesystem of this size", async () => {
    const { disk, said } = watch([filesystem("/images", { usedBytes: 900 })]);
    const bytes = { ...usual.watermarks.bytes, low: { kind: "free-amount", amount: 100 } as const };

    const look = await disk.look({ ...usual, watermarks: { ...usual.watermarks, bytes } }, false);

    expect(look).toBeUndefined();
    expect(said()).toEqual(["the low mark (100 free) of bytes on /images is not below the high mark (80%)"]);
  });

  it("warns once of a mark above the kubelet's, and follows it", async () => {
    const { disk, events, said } = watch([filesystem("/images", { usedBytes: 895 })]);
    const bytes = { ...usual.watermarks.bytes, high: { kind: "used-share", share: 0.9 } as const };
    const settings = { ...usual, watermarks: { ...usual.watermarks, bytes } };

    await disk.look(settings, false);
    const look = await disk.look(settings, false);

    expect(look?.demand).toBeUndefined();
    expect(said()).toEqual([expect.stringContaining("the kubelet acts first")]);
    expect(events.filter(({ kind }) => kind === "filesystem-seen")).toHaveLength(2);
  });
});

describe("a path that is given", () => {
  it("is looked at where the runtime's folders cannot be seen", async () => {
    const { disk } = watch([], async (path) => filesystem(path, { usedBytes: 900 }));

    expect(await disk.look({ ...usual, path: "/host" }, false)).toMatchObject({
      filesystem: { path: "/host" },
      demand: { bytes: 200 },
    });
  });

  it("is the same filesystem though the number of inodes changed between two looks, as it does on a full XFS", async () => {
    const { disk, said } = watch([filesystem("/var/lib/containerd", { usedBytes: 900 })], async (path) =>
      filesystem(path, { usedBytes: 905, inodes: 90 }),
    );

    expect((await disk.look({ ...usual, path: "/host" }, false))?.filesystem.path).toBe("/host");
    expect(said()).toEqual([]);
  });

  it("is refused when another filesystem of the same size is fuller", async () => {
    const { disk, said } = watch([filesystem("/var/lib/containerd")], async (path) =>
      filesystem(path, { usedBytes: 900 }),
    );

    expect(await disk.look({ ...usual, path: "/host" }, false)).toBeUndefined();
    expect(said()).toEqual([expect.stringContaining("is not on a filesystem that holds images")]);
  });

  it("is refused when it is not on a filesystem that holds images", async () => {
    const elsewhere = async (path: string) => filesystem(path, { capacityBytes: 77_000, usedBytes: 76_000 });
    const { disk, said } = watch([filesystem("/var/lib/containerd")], elsewhere);

    expect(await disk.look({ ...usual, path: "/tmp" }, false)).toBeUndefined();
    expect(said()).toEqual([
      "pressure.path /tmp is not on a filesystem that holds images (those are in /var/lib/containerd): correct it, or leave it out",
    ]);
  });

  it("is refused when it is not there", async () => {
    const { disk, said } = watch([filesystem("/var/lib/containerd")]);

    expect(await disk.look({ ...usual, path: "/nonexistent/images" }, false)).toBeUndefined();
    expect(said()).toEqual([
      "pressure.path /nonexistent/images cannot be looked at (ENOENT): mount it, or leave it out",
    ]);
  });
});
