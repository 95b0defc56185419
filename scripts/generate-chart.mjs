// Writes the parts of the chart that come from elsewhere: values.schema.json from the chart's own schema and the agent's, the
// table of values in the README from the comments of values.yaml, the versions in Chart.yaml from package.json. With --check it
// changes nothing and fails when one is stale. Runs on the project's own Node.js, which reads the .ts sources.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isMap, parseDocument } from "yaml";
import { configJsonSchema } from "../src/config/schema.ts";
import { chartSchema } from "./chart-schema.mjs";
import { fail, root } from "./setup.mjs";

const check = process.argv.includes("--check");
const chart = join(root, "charts/prunelet");

write("values.schema.json", () => `${JSON.stringify(chartSchema(configSchema()), null, 2)}\n`);
write("README.md", (text) => fillTable(text, valueRows()));
write("Chart.yaml", withVersions);

function write(name, make) {
  const file = join(chart, name);
  const before = readFileSync(file, "utf8");
  const after = make(before);
  if (sameContent(name, before, after)) return;
  if (check) fail(`charts/prunelet/${name} is stale: run \`npm run generate\` and commit the result`);
  writeFileSync(file, after);
}

/** The formatter lays JSON out its own way: only what it says counts. */
function sameContent(name, before, after) {
  if (!name.endsWith(".json")) return before === after;
  return before.trim() !== "" && JSON.stringify(JSON.parse(before)) === JSON.stringify(JSON.parse(after));
}

function configSchema() {
  const { $schema: _, ...schema } = configJsonSchema();
  return { ...schema, description: "The agent's configuration: see docs/configuration.md" };
}

function withVersions(text) {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return text.replace(/^version: .*$/m, `version: ${version}`).replace(/^appVersion: .*$/m, `appVersion: ${version}`);
}

function fillTable(text, rows) {
  const start = "<!-- generated: values -->";
  const end = "<!-- end of generated part -->";
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) fail("charts/prunelet/README.md has lost the markers of its generated part");
  return `${text.slice(0, from)}${start}\n${rows.join("\n")}\n${text.slice(to)}`;
}

function valueRows() {
  const document = parseDocument(readFileSync(join(chart, "values.yaml"), "utf8"));
  const rows = describe(document.contents, []).map(({ path, value, meaning }) => {
    return `| \`${path.join(".")}\` | \`${JSON.stringify(value)}\` | ${meaning} |`;
  });
  return ["| value | default | meaning |", "|---|---|---|", ...rows];
}

/** Every described value. A key without a description must be a section of described ones. */
function describe(node, path) {
  return node.items.flatMap((pair, index) => {
    const here = [...path, pair.key.value];
    // The comment before the first key of a section belongs to the section's node.
    const comment = [index === 0 ? node.commentBefore : "", pair.key.commentBefore].filter(Boolean).join("\n");
    const meaning = descriptionIn(comment);
    if (meaning !== undefined) return [{ path: here, value: pair.value.toJSON(), meaning }];
    if (isMap(pair.value) && pair.value.items.length > 0) return describe(pair.value, here);
    return fail(`charts/prunelet/values.yaml: ${here.join(".")} has no description ("# -- ...")`);
  });
}

/** The text after the last line that begins with "--". */
function descriptionIn(comment) {
  const lines = comment.split("\n").map((line) => line.trim());
  const from = lines.findLastIndex((line) => line.startsWith("-- "));
  if (from < 0) return undefined;
  return lines.slice(from).join(" ").slice(3).trim().replaceAll("|", "\\|");
}
