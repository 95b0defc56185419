// Writes the parts of docs/ that come from code: the metric table, the reasons, the configuration keys, the commands, the node file's schema.
// With --check it changes nothing and fails when one is stale. Runs on the project's own Node.js, which reads the .ts sources.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { environmentName, settings } from "../src/config/settings.ts";
import { keepCodes, removeCodes } from "../src/decide/reason.ts";
import { nodeFileJsonSchema } from "../src/observe/node-file-schema.ts";
import { metricTable } from "../src/report/metric-table.ts";
import { capabilityWords } from "../src/runtime/capability-words.ts";
import { connectContainerd } from "../src/runtime/containerd/containerd-runtime.ts";
import { connectCri } from "../src/runtime/cri/cri-runtime.ts";
import { connectDocker } from "../src/runtime/docker/docker-runtime.ts";
import { knownSockets } from "../src/runtime/known-sockets.ts";
import { cliPage } from "./cli-page.mjs";
import { fail, root } from "./setup.mjs";

const check = process.argv.includes("--check");

write("docs/node-file.schema.json", () => `${JSON.stringify(nodeFileJsonSchema(), null, 2)}\n`);
write("docs/metrics.md", (text) => fill(text, "metrics", metricRows()));
write("docs/reasons.md", (text) =>
  fill(fill(text, "reasons", reasonRows(keepCodes, "kept")), "removal reasons", reasonRows(removeCodes, "removed")),
);
write("docs/configuration.md", (text) => fill(text, "configuration", configurationRows()));
write("docs/runtimes.md", (text) =>
  fill(
    fill(fill(text, "capabilities", capabilityRows()), "missing", insteadRows()),
    "sockets",
    knownSockets.map(({ path, distribution, kind }, i) => `${i + 1}. \`${path}\`: ${distribution} (\`${kind}\`)`),
  ),
);
write("docs/cli.md", (text) => fill(text, "cli", cliPage()));

function write(path, make) {
  const file = join(root, path);
  const before = readFileSync(file, "utf8");
  const after = make(before);
  if (sameContent(path, before, after)) return;
  if (check) fail(`${path} is stale: run \`npm run generate\` and commit the result`);
  writeFileSync(file, after);
}

/** The formatter lays JSON out its own way: only what it says counts. */
function sameContent(path, before, after) {
  if (!path.endsWith(".json")) return before === after;
  return JSON.stringify(JSON.parse(before)) === JSON.stringify(JSON.parse(after));
}

/** Replaces what stands between the markers of a generated part. */
function fill(text, name, rows) {
  const start = `<!-- generated: ${name} -->`;
  const end = "<!-- end of generated part -->";
  const from = text.indexOf(start);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0) fail(`the markers of the generated part ${name} are missing in its page`);
  return `${text.slice(0, from)}${start}\n${rows.join("\n")}\n${text.slice(to)}`;
}

function metricRows() {
  const rows = Object.values(metricTable).map(({ name, type, labels, help }) => {
    return `| \`prunelet_${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help} |`;
  });
  return ["| metric | type | labels | meaning |", "|---|---|---|---|", ...rows];
}

function reasonRows(codes, what) {
  const rows = Object.entries(codes).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`);
  return [`| code | ${what} because |`, "|---|---|", ...rows];
}

/** What the adapters say of themselves; they connect to nothing before they are asked something. */
function runtimeCapabilities() {
  const endpoint = "unix:///nowhere.sock";
  return {
    containerd: connectContainerd({ endpoint, namespaces: [] }).capabilities,
    cri: connectCri({ endpoint }).capabilities,
    docker: connectDocker({ endpoint }).capabilities,
  };
}

function capabilityRows() {
  const kinds = runtimeCapabilities();
  const names = Object.keys(kinds);
  const rows = Object.entries(capabilityWords).map(([capability, { meaning }]) => {
    const cells = names.map((kind) => (kinds[kind][capability] ? "yes" : answerOf(kind, capability)));
    return `| \`${capability}\`: ${meaning} | ${cells.join(" | ")} |`;
  });
  const head = `| capability | ${names.map((kind) => `\`${kind}\``).join(" | ")} |`;
  return [head, `|---|${names.map(() => "---").join("|")}|`, ...rows];
}

/** containerd tells its version only when it is asked. */
function answerOf(kind, capability) {
  return kind === "containerd" && capability === "compareAndDelete" ? "from 2.0 on" : "no";
}

function insteadRows() {
  const rows = Object.entries(capabilityWords).map(([name, { instead }]) => `| \`${name}\` | ${instead} |`);
  return ["| where this is missing | prunelet does this |", "|---|---|", ...rows];
}

function configurationRows() {
  const rows = settings().map(({ path, default: whenAbsent, description, types, choices, flat }) => {
    const value = whenAbsent === undefined ? "" : `\`${JSON.stringify(whenAbsent)}\``;
    const allowed = choices?.map((choice) => `\`${choice}\``).join(", ") ?? [...types].join(" or ");
    const variable = flat ? `\`${environmentName(path)}\`` : "";
    return `| \`${path.join(".")}\` | ${value} | ${allowed} | ${variable} | ${description} |`;
  });
  return ["| key | default | values | environment | meaning |", "|---|---|---|---|---|", ...rows];
}
