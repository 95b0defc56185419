// prunelet against a stand-in for CRI-O on a real unix socket: the whole program, a good day and bad ones.
import { chmodSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hexOf } from "../../src/image/digest.ts";
import { type FakeCri, fakeCrio, serveFakeCri } from "../support/cri/fake-cri.ts";
import { type PruneReport, reasonCodes } from "../support/e2e-report.ts";
import type { GrpcServer } from "../support/grpc-server.ts";
import { digestOf } from "../support/node-builder.ts";
import { type RunOptions, runPrunelet } from "../support/prunelet.ts";
import { createTempFolder, type TempFolder } from "../support/temp.ts";

const web = digestOf("config web");
const cart = digestOf("config cart");
const spare = digestOf("config spare");

let folder: TempFolder;
let node: FakeCri;
let server: GrpcServer | undefined;

beforeEach(async () => {
  folder = createTempFolder();
  node = fakeCrio({
    images: [
      { id: hexOf(web), repoTags: ["quay.example/web:1", "quay.example/web:old"], repoDigests: [] },
      { id: hexOf(cart), repoTags: ["quay.example/cart:1"], repoDigests: [] },
      { id: hexOf(spare), repoTags: ["quay.example/spare:1"], repoDigests: [] },
    ],
    containers: [{ id: "0f1e2d3c4b5a", image: "quay.example/web:1", imageId: hexOf(web) }],
  });
  // The disk is counted when it is asked for.
  node.before.set("ImageFsInfo", () => {
    const bytes = node.images.length * 1_000_000;
    node.usage = [{ mountpoint: "/var/lib/containers/storage", bytes, countedAt: Date.now() }];
  });
  await serve();
});
afterEach(async () => {
  await server?.stop();
  folder.remove();
});

async function serve(): Promise<void> {
  server = await serveFakeCri(`${folder.path}/crio.sock`, node);
}

async function prune(options?: RunOptions) {
  const flags = ["--runtime", "cri", "--endpoint", `unix://${folder.path}/crio.sock`, "--pods", "none"];
  const result = await runPrunelet(["prune", "--yes", ...flags, "-o", "json"], options);
  return { ...result, report: () => result.json() as PruneReport };
}

function left(): readonly string[] {
  return node.images.map(({ id }) => id);
}

/** One line that names the cause: no trace, no repetition. */
const oneLine = /^prunelet: [^\n]+\n$/;

describe("CRI-O", () => {
  test("loses every image that nothing uses, whole and by its whole ID, and what the disk gained is told", async () => {
    const { code, report } = await prune();

    expect(code).toBe(0);
    expect(report()).toMatchObject({
      runtime: { kind: "cri", version: "cri-o 1.33.1" },
      deleted: expect.arrayContaining([cart, spare]),
      untagged: expect.arrayContaining(["quay.example/cart:1", "quay.example/spare:1"]),
      failed: [],
      reclaimedBytes: 2_000_000,
      approximateBytes: true,
    });
    expect(left()).toEqual([hexOf(web)]);
    expect(node.calls.filter((call) => call.startsWith("RemoveImage")).sort()).toEqual(
      [cart, spare].map((id) => `RemoveImage ${hexOf(id)}`).sort(),
    );
  });

  test("keeps an image that came into use after the look, and the report says so", async () => {
    let lists = 0;
    node.before.set("ListContainers", () => {
      lists += 1;
      // The first list is the plan's.
      if (lists === 2) node.containers = [...node.containers, { id: "late", imageId: hexOf(cart), state: 0 }];
    });

    const { code, report } = await prune();

    expect(code).toBe(0);
    expect(report().leftAlone).toMatchObject([{ name: "quay.example/cart:1", result: "in-use" }]);
    expect(left()).toEqual([hexOf(web), hexOf(cart)]);
  });

  test("that says done and does nothing is not believed", async () => {
    node.lies = true;

    const { code, report, stderr } = await prune();

    expect(code).toBe(1);
    expect(report()).toMatchObject({ deleted: [], untagged: [], reclaimedBytes: 0 });
    expect(report().failed).toHaveLength(2);
    for (const failure of report().failed) {
      expect(failure).toMatchObject({ reason: "conflict", message: /^[^\n]*still lists it[^\n]*$/ });
    }
    expect(stderr).not.toContain("    at ");
  });

  test("that is gone in the middle fails what is left, and the next round goes on", async () => {
    let asked = 0;
    node.before.set("RemoveImage", () => {
      asked += 1;
      if (asked < 2) return;
      void server?.stop();
      throw new Error("killed");
    });

    const broken = await prune({ env: { PRUNELET_ACT_CONCURRENCY: "1" } });
    node.before.delete("RemoveImage");
    await serve();
    const next = await prune();

    expect(broken.code).toBe(1);
    expect(broken.report()).toMatchObject({ failed: [{ reason: "unavailable" }, { name: "" }] });
    expect(next).toMatchObject({ code: 0 });
    const deleted = [broken, next].map(({ report }) => report().deleted);
    expect(deleted).toMatchObject([{ length: 1 }, { length: 1 }]);
    expect(deleted.flat().sort()).toEqual([cart, spare].sort());
  });

  test("that does not answer a removal in time fails it, and is not waited for longer than it may take", async () => {
    node.before.set("RemoveImage", () => new Promise(() => undefined));

    const { code, report, tookMs } = await prune({ env: { PRUNELET_ACT_CALL_TIMEOUT: "2s" } });

    expect(code).toBe(1);
    expect(report().failed.map(({ reason }) => reason)).toEqual(["deadline", "deadline"]);
    expect(tookMs).toBeLessThan(15_000);
  });

  test("whose socket may not be used is told so, with the mend", async () => {
    chmodSync(folder.path, 0o755);
    chmodSync(`${folder.path}/crio.sock`, 0o600);

    const { code, stderr } = await prune({ uid: 65_534, env: { PRUNELET_STATE_FILE: "/nonexistent/state.json" } });

    expect(code).toBe(1);
    expect(stderr).toMatch(/^prunelet: [^\n]*permission denied on [^\n]*crio\.sock: run as root[^\n]*\n$/);
    expect(node.calls).toEqual([]);
  });

  test("whose containers cannot be listed loses nothing, and one line says why", async () => {
    node.before.set("ListContainers", () => {
      throw new Error("database is locked");
    });

    const { code, stderr } = await prune();

    expect(code).toBe(1);
    expect(stderr).toMatch(oneLine);
    expect(stderr).toContain("cri list containers");
    expect(left()).toHaveLength(3);
  });

  test("keeps every name of an image in use while nobody tells which one is needed", async () => {
    const { report } = await prune();

    expect(reasonCodes(report(), "quay.example/web:1")).toContain("used-by-container");
    expect(reasonCodes(report(), "quay.example/web:old")).toEqual(["no-pod-source"]);
  });
});
