// What CRI says while it is asked for its version again, and what becomes of questions that nobody waits for.
import { describe, expect, it } from "vitest";
import type { CriChannel } from "../../../src/runtime/cri/cri-channel.ts";
import { CriLink } from "../../../src/runtime/cri/cri-link.ts";
import { ImageListing } from "../../../src/runtime/cri/image-listing.ts";
import { RuntimeError } from "../../../src/runtime/runtime-error.ts";
import { scopeOf } from "../../../src/runtime/wire/calls.ts";

/** A server that speaks v1alpha2 only and holds one image. Questions for its version wait for `mayAnswer`. */
function oldServer(mayAnswer: (version: string) => Promise<void>): CriChannel {
  const clients = (version: string) => ({
    runtime: {
      async version() {
        await mayAnswer(version);
        if (version === "v1") throw new RuntimeError("unsupported", "cri version", "unknown service");
        return { runtimeVersion: "1.5", runtimeName: "old", runtimeApiVersion: version };
      },
    },
    images: { listImages: async () => ({ images: [{ id: "one", pinned: true }] }) },
  });
  return {
    clients,
    call: async (_spec: unknown, _scope: unknown, work: (options: object) => unknown) => work({}),
  } as never;
}

describe("a CRI server whose version is asked for again", () => {
  it("goes on telling its images meanwhile", async () => {
    let holds = false;
    let reached = (): void => undefined;
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const asked = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const link = new CriLink(
      oldServer(async (version) => {
        if (!holds || version === "v1") return;
        reached();
        await released;
      }),
    );
    await link.probe(scopeOf({}));
    holds = true;

    const again = link.probe(scopeOf({}));
    await asked;
    const images = await link.images(scopeOf({}));
    release();

    expect(images).toHaveLength(1);
    expect(await again).toMatchObject({ api: "v1alpha2" });
  });
});

describe("a list of images that nobody waits for any more", () => {
  it("may fail without ending the process", async () => {
    let fail = (): void => undefined;
    const failed = new Promise<never>((_, reject) => {
      fail = () => reject(new RuntimeError("unavailable", "cri list images", "gone"));
    });
    const listing = new ImageListing(() => failed);
    const unhandled: unknown[] = [];
    const listen = (error: unknown): void => void unhandled.push(error);
    process.on("unhandledRejection", listen);

    await expect(listing.fresh(scopeOf({ signal: AbortSignal.abort() }))).rejects.toMatchObject({ code: "timeout" });
    fail();
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", listen);

    expect(unhandled).toEqual([]);
  });
});
