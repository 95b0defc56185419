// `verify` where there is no content, and its page for people.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { verifyReport, verifyTable } from "../../src/cli/verify-report.ts";
import { formatNodeFile } from "../../src/observe/node-file.ts";
import type { VerifyResult } from "../../src/verify/verify.ts";
import { podOf } from "../support/fake-pods.ts";
import { containerOf, digestOf, imageOf, nameOf, namespaceOf, nodeOf } from "../support/node-builder.ts";
import { createTempFolder } from "../support/temp.ts";
import { runHere } from "./run-program.ts";

const app = imageOf("app");
const state = nodeOf({
  namespaces: [
    namespaceOf("k8s.io", {
      images: [app],
      names: [nameOf("docker.io/library/app:1", app.target), nameOf(app.id, app.target)],
      containers: [containerOf("c1", { imageId: app.id, image: app.id, pod: "default/web" })],
    }),
  ],
  pods: [podOf("web", ["app:1"])],
});
const image = { namespace: "k8s.io", image: app };
const nothing: VerifyResult = {
  images: 1,
  blobs: 3,
  bytes: 2048,
  discarded: 0,
  notFetched: 0,
  collected: 0,
  problems: [],
};

describe("verify without content", () => {
  test.each([
    ["a captured node", ["--snapshot"]],
    ["the simulated node", ["--runtime", "embedded"]],
  ])("on %s says so and reads nothing", async (_, flags) => {
    const folder = createTempFolder();
    onTestFinished(() => folder.remove());
    const file = join(folder.path, "node.json");
    writeFileSync(file, formatNodeFile(state));

    const result = await runHere(["verify", ...flags, ...(flags.includes("--snapshot") ? [file] : [])]);

    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toContain("has no content to read: verify works on the node itself");
  });
});

describe("the page of verify", () => {
  test("is one line where all is well", () => {
    const text = pageOf({});

    expect(text).toBe("read 3 blobs of 1 image, 2.0 KiB: all as their digests say");
  });

  test("counts what is no problem", () => {
    const text = pageOf({ discarded: 2, notFetched: 1, collected: 3 });

    expect(text).toContain(
      "; 2 layers discarded after unpacking, 1 blob of other platforms not fetched, 3 blobs removed meanwhile",
    );
  });

  test("names each damaged blob, the images that need it, and who uses them", () => {
    const digest = digestOf("layer app");
    const foundDigest = digestOf("something else");
    const altered = { digest, role: "layer", problem: "altered", size: 9, readBytes: 9, foundDigest } as const;
    const cut = { ...altered, problem: "truncated", readBytes: 4 } as const;

    const lines = pageOf({ problems: [altered, cut].map((problem) => ({ ...problem, images: [image] })) }).split("\n");

    const concerned = [
      "    of app:1 +1 name in k8s.io",
      "        used by container c1 of pod default/web (running)",
      "        used by pod default/web (Running)",
    ];
    expect(lines.slice(0, 8)).toEqual([
      `altered  layer ${digest} (its bytes are ${foundDigest})`,
      ...concerned,
      `truncated  layer ${digest} (4 of 9 bytes)`,
      ...concerned,
    ]);
    expect(lines.at(-1)).toBe("read 3 blobs of 1 image, 2.0 KiB: 2 problems");
  });
});

function pageOf(result: Partial<VerifyResult>): string {
  return verifyTable(verifyReport({ state, result: { ...nothing, ...result }, durationMs: 5 }));
}
