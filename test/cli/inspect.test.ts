// `inspect`: which image a reference means, everything that is said of it, and the page for people.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Image, Pod } from "../../src/image/node-state.ts";
import { formatNodeFile } from "../../src/observe/node-file.ts";
import { containerOf, digestOf, imageOf, nameOf, namespaceOf, nodeOf } from "../support/node-builder.ts";
import { createTempFolder, type TempFolder } from "../support/temp.ts";
import { runHere } from "./run-program.ts";

const takenAt = Date.UTC(2026, 0, 10, 12);
const day = 86_400_000;
const index = digestOf("index app");
const manifest = digestOf("manifest of app");
const app: Image = {
  ...imageOf("app", { layers: ["base", "app"] }),
  target: index,
  digests: [index, manifest, digestOf("config app")],
  digestKinds: ["index", "manifest", "config"],
  platform: "linux/amd64",
  createdAt: takenAt - 30 * day,
  labels: { team: "shop" },
};
const sibling = imageOf("sibling", { layers: ["base", "sibling"] });
const idle = imageOf("idle");
const pinned: Image = { ...imageOf("pause"), pinned: true };
const names = [
  nameOf("docker.io/library/app:1", app.target),
  nameOf("docker.io/library/app:spare", app.target),
  nameOf(`docker.io/library/app@${index}`, app.target),
  nameOf(app.id, app.target),
  nameOf("registry.example/sibling:1", sibling.target),
  nameOf("docker.io/library/idle:1", idle.target),
  nameOf("registry.example/pause:3", pinned.target),
];
const containers = [
  containerOf("c1", { image: app.id, imageId: app.id, pod: "shop/cart-1", state: "running" }),
  containerOf("c2", { image: "sibling-was-here", imageId: sibling.id, state: "exited" }),
];
const cart: Pod = {
  namespace: "shop",
  name: "cart-1",
  uid: "1",
  phase: "Running",
  images: ["app:1"],
  imageIds: [],
};
const history = {
  version: 1,
  namespaces: {
    "k8s.io": {
      images: {
        [idle.target]: [takenAt - 9 * day, takenAt - 2 * day],
        // Seen, and never in use.
        [pinned.target]: [takenAt - 9 * day, takenAt - 9 * day],
      },
      names: {},
    },
  },
};

let folder: TempFolder;
let captured: string;

beforeAll(() => {
  folder = createTempFolder();
  captured = join(folder.path, "node.json");
  const images = [app, sibling, idle, pinned];
  const state = nodeOf({ takenAt, namespaces: [namespaceOf("k8s.io", { names, images, containers })], pods: [cart] });
  writeFileSync(captured, formatNodeFile(state, history));
});

afterAll(() => folder.remove());

describe("inspect finds the image that is meant by", () => {
  test.each([
    ["a name", "app:1"],
    ["a name in full", "docker.io/library/app:1"],
    ["its index behind its repository", `app@${index}`],
    ["its manifest behind its repository", `docker.io/library/app@${manifest}`],
    ["a tag and a digest", `app:1@${index}`],
    ["its image ID", app.id],
    ["its image ID without algorithm", app.id.slice(7)],
    ["its index", index],
    ["its manifest", manifest],
    ["the beginning of its ID", app.id.slice(7, 19)],
    ["the beginning of its ID with algorithm", app.id.slice(0, 15)],
    ["the spelling of an old kubelet", `docker-pullable://app@${index}`],
  ])("%s", async (_, reference) => {
    expect(await inspect(reference)).toMatchObject({ id: app.id, target: app.target });
  });

  test.each([
    ["a name that is not there", "app:2", 1, "No such image: app:2; of this repository there is app:1, app:spare\n"],
    ["a name without its tag", "app", 1, "No such image: app:latest; of this repository there is app:1, app:spare\n"],
    ["a digest behind another repository", `idle@${index}`, 1, `No such image: idle@${index}`],
    ["an ID that nothing has", "0".repeat(64), 1, `No such image: ${"0".repeat(64)}`],
    [
      "fewer than four digits",
      app.id.slice(7, 10),
      1,
      `No such image: ${app.id.slice(7, 10)}:latest; of an image ID at least four digits`,
    ],
    ["nothing like it", "missing", 1, "No such image: missing:latest; `prunelet images` lists those there are\n"],
    ["an empty word", "", 2, "image name cannot be blank"],
    ["blanks", "  ", 2, "image name cannot be blank"],
    ["upper case", "App:1", 2, "invalid reference format: repository name (library/App) must be lowercase"],
    ["what is no reference", "app:", 2, "invalid reference format"],
    ["an unknown digest algorithm", `app@sha999:${"a".repeat(64)}`, 2, "unsupported digest algorithm"],
  ])("nothing by %s, and says so", async (_, reference, code, message) => {
    const result = await runHere(["inspect", "--snapshot", captured, "--", reference]);

    expect(result).toMatchObject({ code, stdout: "" });
    expect(result.stderr).toContain(`prunelet: ${message}`);
  });

  test("what there is of several references as a list, also when only one of them is there", async () => {
    const inspect = (...references: readonly string[]) =>
      runHere(["inspect", ...references, "--snapshot", captured, "-o", "json"]);

    const [alone, both, oneMissing] = [
      await inspect("idle:1"),
      await inspect("idle:1", "app:1"),
      await inspect("idle:1", "gone:1"),
    ];

    expect(JSON.parse(alone.stdout)).toMatchObject({ id: idle.id });
    expect(JSON.parse(both.stdout)).toMatchObject([{ id: idle.id }, { id: app.id }]);
    expect(JSON.parse(oneMissing.stdout)).toMatchObject([{ id: idle.id }]);
    expect(oneMissing.code).toBe(1);
  });

  test("nothing by the beginning of several IDs, and lists the candidates", async () => {
    const twins = [0, 1].map((i) => ({
      ...imageOf(`twin ${i}`),
      id: `sha256:abcdef${`${i}`.repeat(58)}` as Image["id"],
    }));
    const images = twins.map((twin) => ({ ...twin, digests: [twin.target, twin.id] }));
    const twinNames = images.map(({ target }, i) => nameOf(`example.org/twin:${i}`, target));
    const file = join(folder.path, "twins.json");
    writeFileSync(file, formatNodeFile(nodeOf({ namespaces: [namespaceOf("k8s.io", { names: twinNames, images })] })));

    const { code, stderr } = await runHere(["inspect", "abcdef", "--snapshot", file]);

    expect(code).toBe(1);
    for (const { id } of images) expect(stderr).toContain(id);
    expect(stderr).toContain("example.org/twin:0");
  });

  test("each of several references, and goes on behind one that means nothing", async () => {
    const { code, stdout, stderr } = await runHere([
      "inspect",
      ...["app:1", "missing:1", "idle:1", index],
      ...["--snapshot", captured, "-o", "json"],
    ]);

    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject([{ id: app.id }, { id: idle.id }]);
    expect(stderr).toContain("No such image: missing:1");
  });
});

describe("inspect tells", () => {
  test("what each digest is, the platform, the labels and the age", async () => {
    expect(await inspect("app:1")).toMatchObject({
      digestKinds: [
        { digest: index, kind: "index" },
        { digest: manifest, kind: "manifest" },
        { digest: app.id, kind: "config" },
      ],
      platform: "linux/amd64",
      labels: { team: "shop" },
      createdAt: "2025-12-11T12:00:00.000Z",
    });
  });

  test("every name with its kind, what becomes of it and why", async () => {
    const { names: found } = await inspect("app:1");

    expect(found).toMatchObject([
      { name: "docker.io/library/app:1", kind: "tag", action: "keep" },
      { name: "docker.io/library/app:spare", kind: "tag", action: "untag", reasons: [{ code: "spare-name" }] },
      { name: `docker.io/library/app@${index}`, kind: "digest-reference", action: "keep" },
      { name: app.id, kind: "id", action: "keep" },
    ]);
  });

  test("the bytes that are its own, and with whom it shares the rest", async () => {
    const { size, aloneBytes, sharedBytes, sharedWith } = await inspect("idle:1");
    const shared = await inspect("app:1");

    expect({ size, aloneBytes, sharedBytes, sharedWith }).toEqual({
      size: 3300,
      aloneBytes: 3300,
      sharedBytes: 0,
      sharedWith: [],
    });
    expect(shared.sharedWith).toEqual([
      { namespace: "k8s.io", id: sibling.id, names: ["registry.example/sibling:1"], bytes: 3000 },
    ]);
  });

  test("the containers with their state and the pods that use it", async () => {
    const used = await inspect("app:1");
    const stopped = await inspect("registry.example/sibling:1");

    expect(used).toMatchObject({
      containers: [{ id: "c1", state: "running", pod: "shop/cart-1" }],
      pods: [{ namespace: "shop", name: "cart-1", phase: "Running" }],
      inUse: true,
    });
    expect(stopped).toMatchObject({ containers: [{ id: "c2", state: "exited", pod: null }], pods: [] });
  });

  test("when it was seen first and used last", async () => {
    const known = await inspect("idle:1");
    const used = await inspect("app:1");

    expect(known).toMatchObject({ firstSeen: "2026-01-01T12:00:00.000Z", lastUsed: "2026-01-08T12:00:00.000Z" });
    expect(used).toMatchObject({ firstSeen: null, lastUsed: "2026-01-10T12:00:00.000Z" });
    expect(known).toMatchObject({ timesUsed: 1, lastUsedBy: [] });
    expect(used).toMatchObject({ timesUsed: null, plannedBytes: 0 });
  });

  test("no last use of what was never seen in use", async () => {
    const seen = await inspect("registry.example/pause:3");
    const page = await runHere(["inspect", "registry.example/pause:3", "--snapshot", captured]);
    const plan = await runHere(["plan", "-o", "json", "--snapshot", captured]);

    expect(seen).toMatchObject({ firstSeen: "2026-01-01T12:00:00.000Z", lastUsed: null, timesUsed: 0 });
    expect(page.stdout).toMatch(/^Last used +not seen in use; counts from the first sight$/m);
    const planned: { id: string; lastUsed: string | null }[] = JSON.parse(plan.stdout).images;
    expect(Object.fromEntries(planned.map(({ id, lastUsed }) => [id, lastUsed]))).toEqual({
      [pinned.id]: null,
      [idle.id]: expect.any(String),
      [app.id]: "2026-01-10T12:00:00.000Z",
      [sibling.id]: "2026-01-10T12:00:00.000Z",
    });
  });

  test.each([
    ["the policy of a person who gives none", [], "delete", ["unused"]],
    ["a minimum time without use", ["--unused-for", "3d"], "keep", ["recently-used"]],
    ["a keep pattern", ["--keep", "idle:*"], "keep", ["keep-pattern"]],
    ["several rules", ["--keep", "idle:*", "--unused-for", "3d"], "keep", ["keep-pattern", "recently-used"]],
  ])("the verdict under %s, with every reason", async (_, flags, verdict, codes) => {
    const page = await inspect("idle:1", ...flags);

    expect(page.verdict).toBe(verdict);
    expect(page.reasons.map(({ code }) => code).sort()).toEqual(codes);
  });

  test("that the runtime pins it", async () => {
    expect(await inspect("registry.example/pause:3")).toMatchObject({
      pinned: true,
      verdict: "keep",
      reasons: [{ code: "pinned" }],
    });
  });
});

test("the page for people begins with the verdict and leaves nothing out", async () => {
  const { code, stdout } = await runHere(["inspect", "app:1", "--snapshot", captured]);

  expect(code).toBe(0);
  expect(stdout).toMatch(/^Image +sha256:/);
  for (const text of [
    "stays; 1 spare name would go",
    "used by container c1 of pod shop/cart-1 (running)",
    "pod shop/cart-1 (Running)",
    "stays  app:1",
    "goes   app:spare",
    `index    ${index}  (the names point here)`,
    `manifest ${manifest}`,
    `config   ${app.id}  (image ID)`,
    "for linux/amd64",
    "registry.example/sibling:1",
    "team=shop",
    "in use now",
  ]) {
    expect(stdout).toContain(text);
  }
});

interface Page {
  readonly id: string;
  readonly size: number;
  readonly aloneBytes: number;
  readonly sharedBytes: number;
  readonly sharedWith: readonly unknown[];
  readonly names: readonly unknown[];
  readonly verdict: string;
  readonly reasons: readonly { readonly code: string }[];
}

async function inspect(reference: string, ...flags: readonly string[]): Promise<Page> {
  const { code, stdout, stderr } = await runHere([
    "inspect",
    reference,
    "--snapshot",
    captured,
    "-o",
    "json",
    ...flags,
  ]);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Page;
}
