// The rows of `images` by scenario: tags, digest references, dangling images, filters, sizes, and how they are printed.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Digest } from "../../src/image/digest.ts";
import type { Image, NodeState } from "../../src/image/node-state.ts";
import { formatNodeFile } from "../../src/observe/node-file.ts";
import { digestOf, imageOf, nameOf, namespaceOf, nodeOf } from "../support/node-builder.ts";
import { createTempFolder, type TempFolder } from "../support/temp.ts";
import { runHere } from "./run-program.ts";

const takenAt = Date.UTC(2026, 0, 10);
const day = 86_400_000;
/** An image built so many days before the node was captured. */
const built = (word: string, days: number, labels: Record<string, string> = {}): Image => {
  return { ...imageOf(word, { layers: ["base", word] }), createdAt: takenAt - days * day, labels };
};
const web = built("web", 3, { team: "shop", tier: "front" });
const api = built("api", 2, { team: "shop" });
const byDigest = built("by digest", 1);
const dangling = built("dangling", 5);
const nameless = built("nameless", 6);
const unknown = digestOf("nothing is known of it");

const webDigest = `docker.io/library/web@${web.target}`;
const names = [
  nameOf("docker.io/library/web:1", web.target),
  nameOf("docker.io/library/web:latest", web.target),
  nameOf(webDigest, web.target),
  nameOf(web.id, web.target),
  nameOf("registry.example:5000/shop/api:v2", api.target),
  nameOf(`mirror.example/shop/api@${api.target}`, api.target),
  nameOf(`docker.io/library/pulled@${byDigest.target}`, byDigest.target),
  nameOf(`moby-dangling@${dangling.target}`, dangling.target),
  nameOf("docker.io/library/gone:1", unknown),
];
const images = [web, api, byDigest, dangling, nameless];

let folder: TempFolder;
let captured: string;
let captures = 0;

beforeAll(() => {
  folder = createTempFolder();
  captured = capture({ takenAt, namespaces: [namespaceOf("k8s.io", { names, images })] });
});

afterAll(() => folder.remove());

describe("images", () => {
  test("has a row for each tag, and one for what has no tag, in a total order", async () => {
    const rows = await rowsOf([]);

    const untagged = [dangling, nameless].sort((a, b) => (a.target < b.target ? -1 : 1));
    expect(rows).toEqual([
      ...untagged.map(({ id }) => ["<none>", "<none>", id]),
      ["gone", "1", unknown],
      ["mirror.example/shop/api", "<none>", api.id],
      ["pulled", "<none>", byDigest.id],
      ["registry.example:5000/shop/api", "v2", api.id],
      ["web", "1", web.id],
      ["web", "latest", web.id],
    ]);
  });

  test("has a row for every reference with --digests", async () => {
    const { stdout } = await list("--digests", "--filter", "reference=web");

    expect(cells(stdout).map((row) => row.slice(0, 3))).toEqual([
      ["REPOSITORY", "TAG", "DIGEST"],
      ["web", "1", web.target],
      ["web", "<none>", web.target],
      ["web", "latest", web.target],
    ]);
  });

  test("shows <none> for the digest of a dangling image", async () => {
    const { stdout } = await list("--digests", "--filter", "dangling=true");

    expect(cells(stdout).map((row) => row.slice(0, 3))).toEqual([
      ["REPOSITORY", "TAG", "DIGEST"],
      ["<none>", "<none>", "<none>"],
      ["<none>", "<none>", "<none>"],
    ]);
  });

  test.each([
    ["dangling=true", ["<none>:<none>", "<none>:<none>"]],
    [
      "dangling=0",
      [
        "gone:1",
        "mirror.example/shop/api:<none>",
        "pulled:<none>",
        "registry.example:5000/shop/api:v2",
        "web:1",
        "web:latest",
      ],
    ],
    ["label=team", ["mirror.example/shop/api:<none>", "registry.example:5000/shop/api:v2", "web:1", "web:latest"]],
    ["label=tier=front", ["web:1", "web:latest"]],
    ["label=tier=back", []],
    ["reference=web", ["web:1", "web:latest"]],
    ["reference=web:l*", ["web:latest"]],
    ["reference=w?b:[0-9]", ["web:1"]],
    ["reference=*/shop/api", ["mirror.example/shop/api:<none>", "registry.example:5000/shop/api:v2"]],
    ["reference=api", []],
    ["reference=*", ["gone:1", "pulled:<none>", "web:1", "web:latest"]],
    [`reference=pulled@${byDigest.target}`, ["pulled:<none>"]],
    ["before=web:1", ["<none>:<none>", "<none>:<none>"]],
    [`since=${web.id}`, ["mirror.example/shop/api:<none>", "pulled:<none>", "registry.example:5000/shop/api:v2"]],
  ])("with --filter %s shows what docker shows", async (filter, expected) => {
    const rows = await rowsOf(["--filter", filter]);

    expect(rows.map(([repository, tag]) => `${repository}:${tag}`)).toEqual(expected);
  });

  test("takes several reference filters as alternatives and all others together", async () => {
    const rows = await rowsOf([
      "--filter",
      "reference=web",
      "--filter",
      "reference=*/*/api",
      "--filter",
      "since=web:1",
    ]);

    expect(rows.map(([repository]) => repository)).toEqual([
      "mirror.example/shop/api",
      "registry.example:5000/shop/api",
    ]);
  });

  test("takes a repository as word, as docker does", async () => {
    expect(await rowsOf(["web:1"])).toEqual([["web", "1", web.id]]);
  });

  test.each([
    ["dangling=maybe", 2, "neither true nor false"],
    ["size=1", 2, "unknown filter"],
    ["label=", 2, "unknown filter"],
    ["reference=[z-a]", 2, "lower to the higher"],
    ["before=nothing:1", 1, "No such image: nothing:1; `prunelet images` lists those there are"],
    ["since=gone:1", 1, "nobody knows when gone:1 was built"],
  ])("refuses --filter %s", async (filter, code, message) => {
    const result = await list("--filter", filter);

    expect(result).toMatchObject({ code, stdout: "" });
    expect(result.stderr).toContain(message);
  });

  test("prints IDs only with -q, whole ones with --no-trunc, and one a row as docker does", async () => {
    const short = await list("-q", "web");
    const whole = await list("-q", "--no-trunc", "web");
    const asJson = await list("-q", "-o", "json", "web");

    expect(short.stdout).toBe(`${web.id.slice(7, 19)}\n`.repeat(2));
    expect(whole.stdout).toBe(`${web.id}\n`.repeat(2));
    expect(JSON.parse(asJson.stdout)).toEqual([web.id, web.id]);
  });

  test("prints nothing but the header, and with -q nothing at all, where nothing is", async () => {
    const table = await list("none:1");
    const quiet = await list("-q", "none:1");

    expect(table.stdout.trim().split(/ {3,}/)).toEqual(["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"]);
    expect(quiet).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("tells on request how much of the size is shared", async () => {
    const { stdout } = await list("web:1", "--shared-size");

    expect(cells(stdout)).toEqual([
      ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", "SHARED SIZE", "UNIQUE SIZE"],
      ["web", "1", web.id.slice(7, 19), "3d ago", "6.2 KiB", "2.9 KiB", "3.2 KiB"],
    ]);
  });

  test("is complete in JSON", async () => {
    const { stdout } = await list("web:1", "-o", "json");

    expect(JSON.parse(stdout)).toEqual([
      {
        namespace: "k8s.io",
        repository: "web",
        tag: "1",
        digest: web.target,
        id: web.id,
        target: web.target,
        name: "docker.io/library/web:1",
        createdAt: "2026-01-07T00:00:00.000Z",
        size: 6300,
        sharedSize: 3000,
        uniqueSize: 3300,
        pinned: false,
        platform: null,
        labels: { team: "shop", tier: "front" },
      },
    ]);
  });

  test("names the namespace where there are several", async () => {
    const one = namespaceOf("one", { names: [nameOf("example.org/a:1", web.target)], images: [web] });
    const two = namespaceOf("two", { names: [nameOf("example.org/b:1", web.target)], images: [web] });
    const file = capture({ takenAt, namespaces: [one, two] });

    const { stdout } = await runHere(["images", "--snapshot", file]);

    expect(cells(stdout).map(([namespace, repository]) => [namespace, repository])).toEqual([
      ["NAMESPACE", "REPOSITORY"],
      ["one", "example.org/a"],
      ["two", "example.org/b"],
    ]);
  });
});

function list(...args: readonly string[]) {
  return runHere(["images", "--snapshot", captured, ...args]);
}

async function rowsOf(args: readonly string[]): Promise<string[][]> {
  const { code, stdout, stderr } = await list(...args, "-o", "json");
  if (code !== 0) throw new Error(stderr);
  const rows = JSON.parse(stdout) as readonly { repository: string; tag: string; id: Digest }[];
  return rows.map(({ repository, tag, id }) => [repository, tag, id]);
}

/** The cells of a table: columns are at least three blanks apart. */
function cells(table: string): string[][] {
  return table
    .trim()
    .split("\n")
    .map((line) => line.split(/ {3,}/));
}

function capture(state: Partial<NodeState>): string {
  const file = join(folder.path, `node-${captures++}.json`);
  writeFileSync(file, formatNodeFile(nodeOf(state)));
  return file;
}
