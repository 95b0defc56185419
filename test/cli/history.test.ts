// `prunelet history`: what was removed, from the file and those that were put aside, whatever a crash did to them.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AuditRecord, AuditRecordOf } from "../../src/report/audit-record.ts";
import { digestOf } from "../support/node-builder.ts";
import { createTempFolder, type TempFolder } from "../support/temp.ts";
import { runHere } from "./run-program.ts";

const now = Date.now();
const hour = 3_600_000;

const origin = { node: "node-1", runtime: "containerd", command: "run" } as const;

function about(word: string, hoursAgo: number, more: Partial<Pick<AuditRecordOf<"untagged">, "mode" | "reason">> = {}) {
  const [image, target] = [digestOf(`config ${word}`), digestOf(`manifest ${word}`)];
  return {
    ...origin,
    time: new Date(now - hoursAgo * hour).toISOString(),
    id: word,
    namespace: "k8s.io",
    mode: "routine",
    reason: "unused",
    image,
    target,
    digests: [target, image],
    lastUsed: new Date(now - (hoursAgo + 30) * hour).toISOString(),
    ...more,
  } as const;
}

function removed(
  word: string,
  names: string[],
  hoursAgo: number,
  more: Partial<Pick<AuditRecordOf<"untagged">, "mode" | "reason">> = {},
): AuditRecord[] {
  const common = about(word, hoursAgo, more);
  const bytes = { bytes: 41 * 2 ** 20, aloneBytes: 50 * 2 ** 20 };
  return [
    { event: "intent", ...common, ...bytes, names, pid: 1, detail: "nothing uses the image", deletes: true },
    ...names.map((name) => ({ event: "untagged", ...common, name }) as const),
    { event: "deleted", ...common, ...bytes, names },
  ];
}

const [old, young] = [
  removed("shop", ["registry.example/shop/cart:1", digestOf("config shop")], 50),
  [
    ...removed("nginx", ["docker.io/library/nginx:1.27"], 10, { mode: "pressure", reason: "pressure" }),
    {
      event: "untagged",
      ...about("spare", 5, { reason: "spare-name" }),
      name: "registry.example/shop/cart:0",
    } as const,
    {
      event: "left",
      ...about("held", 4),
      name: "registry.example/held:1",
      result: "in-use",
      message: "pod a/b",
    } as const,
    { event: "freed", ...origin, time: new Date(now - 4 * hour).toISOString(), bytes: 1, plannedBytes: 1 } as const,
  ],
];

describe("history", () => {
  let folder: TempFolder;
  let path: string;

  beforeAll(() => {
    folder = createTempFolder();
    path = join(folder.path, "audit.jsonl");
    const text = (records: readonly AuditRecord[]) => records.map((record) => `${JSON.stringify(record)}\n`).join("");
    writeFileSync(`${path}.1`, text(old));
    writeFileSync(path, `${text(young)}{"event":"untagg`);
    writeFileSync(`${path}.lock`, "");
  });

  afterAll(() => {
    folder.remove();
  });

  const history = (...args: string[]) => runHere(["history", "--audit-file", path, ...args]);
  const listed = async (...args: string[]) => {
    const { code, stdout, stderr } = await history(...args, "-o", "json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { records } = JSON.parse(stdout) as { readonly records: readonly AuditRecord[] };
    return records.map((record) => `${record.event} ${"id" in record ? record.id : ""}`.trim());
  };

  test("lists each deleted image and each name that went alone, from all files, the newest at the end", async () => {
    expect(await listed()).toEqual(["deleted shop", "deleted nginx", "untagged spare"]);
  });

  test("lists everything when all is asked for", async () => {
    expect(await listed("--all")).toEqual([...old, ...young].map((r) => `${r.event} ${"id" in r ? r.id : ""}`.trim()));
  });

  test.each([
    ["since a while ago", ["--since", "12h"], ["deleted nginx", "untagged spare"]],
    ["until a while ago", ["--until", "12h"], ["deleted shop"]],
    ["of a span", ["--since", "12h", "--until", "6h"], ["deleted nginx"]],
    ["of a name", ["--image", "nginx:1.27"], ["deleted nginx"]],
    ["of names by glob", ["--image", "registry.example/shop/*"], ["deleted shop", "untagged spare"]],
    [
      "of one image or another",
      ["--image", "nginx:*", "--image", "*/shop/cart:0"],
      ["deleted nginx", "untagged spare"],
    ],
    ["of a digest", ["--image", digestOf("manifest shop")], ["deleted shop"]],
    ["of the beginning of an image ID", ["--image", digestOf("config nginx").slice(7, 19)], ["deleted nginx"]],
    ["for a reason", ["--reason", "pressure"], ["deleted nginx"]],
    [
      "for one reason or another",
      ["--reason", "spare-name", "--reason", "pressure"],
      ["deleted nginx", "untagged spare"],
    ],
    ["up to a number", ["--limit", "2"], ["deleted nginx", "untagged spare"]],
    ["without a limit", ["--limit", "0"], ["deleted shop", "deleted nginx", "untagged spare"]],
  ])("lists what went %s", async (_, args, expected) => {
    expect(await listed(...args)).toEqual(expected);
  });

  test("shows people a row for each, what was read and what was not", async () => {
    const { stdout } = await history("--limit", "2");

    const [header, ...rows] = stdout.split("\n").map((row) => row.split(/ {3,}/));
    expect(header).toEqual(["TIME", "WHAT", "NAME", "IMAGE", "FREED", "REASON", "BY", "UNUSED FOR"]);
    const day = (hoursAgo: number) =>
      `${new Date(now - hoursAgo * hour).toISOString().slice(0, 19).replace("T", " ")}Z`;
    const short = (word: string) => digestOf(`config ${word}`).slice(7, 19);
    expect(rows).toEqual([
      [day(10), "deleted", "nginx:1.27", short("nginx"), "41 MiB", "pressure", "run", "30h"],
      [day(5), "untagged", "registry.example/shop/cart:0", short("spare"), "spare-name", "run", "30h"],
      [""],
      ["1 older record not listed: --limit 0 lists all"],
      ["1 line could not be read: torn by a crash, or of another version"],
      [""],
    ]);
  });

  test("has the same records as YAML", async () => {
    const { stdout } = await history("--limit", "1", "-o", "yaml");

    expect(stdout).toContain("event: untagged");
    expect(stdout).toContain("more: 2");
  });

  test("of a node on which nothing was removed yet says so, and is no failure", async () => {
    const result = await runHere(["history", "--audit-file", join(folder.path, "none.jsonl")]);

    expect(result.code).toBe(0);
    expect(result.stdout).toBe("nothing was removed, as far as this is recorded\n");
    expect(result.stderr).toMatch(/^prunelet: there is no audit file .*none\.jsonl: nothing was removed yet/);
  });

  test("of a file that cannot be read is a failure that names it", async () => {
    mkdirSync(join(folder.path, "folder.jsonl"));

    const result = await runHere(["history", "--audit-file", join(folder.path, "folder.jsonl")]);

    expect({ ...result, stderr: "" }).toEqual({ code: 1, stdout: "", stderr: "" });
    expect(result.stderr).toMatch(/^prunelet: cannot read the audit file .*folder\.jsonl \(EISDIR\)/);
  });

  test.each([
    [["--since", "yesterday"], "--since yesterday is no moment"],
    [["--limit", "-1"], "--limit -1 is no number"],
    [["--limit", "some"], "--limit some is no number"],
    [["--reason", "because"], "Allowed choices are unused, spare-name"],
    [["--image", "/[/"], "pattern /[/ is not a regular expression"],
    [["--audit-file", ""], "audit.file is empty"],
    [["--snapshot", "node.json"], "a captured node has no history of removals"],
  ])("%j is wrong usage", async (args, message) => {
    const { code, stdout, stderr } = await history(...args);

    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
  });
});
