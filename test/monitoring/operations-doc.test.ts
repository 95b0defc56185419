// The settings that docs/operations.md recommends are settings that the chart and the agent accept, and its links lead somewhere.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { configSchema } from "../../src/config/schema.ts";

const root = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const operations = read("docs/operations.md");

const sections = operations.split(/^#{2,} /m).flatMap((section) => {
  const [title = ""] = section.split("\n");
  return [...section.matchAll(/```yaml\n *# values\.yaml\n([\s\S]*?)```/g)].map(([, values = ""]) => ({
    title,
    values,
  }));
});

describe("the values that docs/operations.md recommends", () => {
  test("are there for each scenario", () => {
    expect(sections.map(({ title }) => title)).toEqual([
      "Install, upgrade, uninstall",
      "What to watch",
      "Managed clusters",
      "Air-gapped",
      "CI nodes",
      "GPU nodes with huge images",
      "Spot nodes",
    ]);
  });

  test.each(sections)("for $title are accepted by the chart", ({ values }) => {
    const validate = new Ajv({ strict: false }).compile(JSON.parse(read("charts/prunelet/values.schema.json")));

    const accepted = validate(parse(values));

    expect(validate.errors ?? []).toEqual([]);
    expect(accepted).toBe(true);
  });

  test.each(sections)("for $title are accepted by the agent", ({ values }) => {
    const { config } = z.object({ config: z.unknown().default({}) }).parse(parse(values));

    const result = configSchema.safeParse(config);

    expect(result.error?.issues ?? []).toEqual([]);
  });
});

describe.each(["docs/operations.md", "docs/troubleshooting.md"])("%s", (page) => {
  const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = ""]) => link)
    // What others write is not ours to check in a test.
    .filter((link) => !link.startsWith("https://"));

  test.each([...new Set(links)])("leads to %s", (link) => {
    const [file = "", anchor] = link.split("#");
    const target = file === "" ? page : join("docs", file);

    expect(existsSync(join(root, target))).toBe(true);
    if (anchor !== undefined) expect(anchorsOf(read(target))).toContain(anchor);
  });
});

function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}
