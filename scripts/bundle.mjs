// The bundler's settings. Runs on the project's own Node.js, after the dependencies are installed.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const outdir = join(root, "dist");
const program = join(outdir, "prunelet.js");
const parts = join(outdir, "lib");
const cache = join(outdir, "cache");
const nowhere = "/dev/null/nowhere";

/**
 * Parts of the Kubernetes client that its configuration pulls in and prunelet never calls: the generated API classes
 * (`makeApiClient`) and undici (`createDispatcher`). prunelet sends its requests with node:https. They would cost every
 * node 20 MiB of memory; should anything ever call them, the error says so.
 */
const unusedParts = {
  undici: ["Agent", "ProxyAgent", "fetch"],
  "./gen/index.js": ["createConfiguration", "ServerConfiguration", "ResponseContext", "RequestContext", "HttpMethod"],
  "./api.js": [],
};

const leaveOutUnusedParts = {
  name: "leave-out-unused-parts",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(undici|\.\/gen\/index\.js|\.\/api\.js)$/ }, ({ path, importer }) => {
      return importer.includes("@kubernetes/client-node/dist/") ? { path, namespace: "unused" } : undefined;
    });
    onLoad({ filter: /.*/, namespace: "unused" }, ({ path }) => {
      const classes = unusedParts[path].map((name) => {
        return `export class ${name} { constructor() { throw new Error("${name} is not part of this bundle: see scripts/bundle.mjs"); } }`;
      });
      return { contents: [...classes, "export {};"].join("\n"), loader: "js" };
    });
  },
};

/**
 * An `import` of one of Node's modules reads every property of it, and that of node:http loads all of undici: 30 ms for
 * nothing. Here only what is imported is read.
 */
const readOnlyWhatIsUsed = {
  name: "read-only-what-is-used",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[a-z][\w:/]*$/ }, ({ path, kind }) => {
      return kind === "import-statement" && isBuiltin(path) ? { path, namespace: "builtin" } : undefined;
    });
    onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => {
      const names = Object.keys(process.getBuiltinModule(path)).filter(
        (name) => /^[a-z]\w*$/i.test(name) && name !== "default",
      );
      const lines = [
        `const all = /* @__PURE__ */ process.getBuiltinModule(${JSON.stringify(path)});`,
        "export default all;",
        ...names.map(
          (name) => `const $${name} = /* @__PURE__ */ (() => all.${name})(); export { $${name} as ${name} };`,
        ),
      ];
      return { contents: lines.join("\n"), loader: "js" };
    });
  },
};

/** The gRPC client keeps metadata in the web's Headers, and Node's come with all of undici: it gets lighter ones. */
const giveLightHeaders = {
  name: "give-light-headers",
  setup({ onLoad }) {
    const light = JSON.stringify(join(root, "src/runtime/wire/metadata-headers.ts"));
    onLoad({ filter: /@connectrpc\/[^/]+\/dist\/esm\/.*\.js$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      if (!text.includes("new Headers(")) return undefined;
      return { contents: `import { MetadataHeaders as Headers } from ${light};\n${text}`, loader: "js" };
    });
  },
};

const { outputFiles } = await build({
  entryPoints: { prunelet: join(root, "src/main.ts") },
  outdir,
  chunkNames: "lib/[name]-[hash]",
  write: false,
  bundle: true,
  // A command loads what it needs: what is imported by function is a file of its own.
  splitting: true,
  platform: "node",
  target: "node24",
  format: "esm",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  logLevel: "warning",
  plugins: [leaveOutUnusedParts, readOnlyWhatIsUsed, giveLightHeaders],
  // Some dependencies are CommonJS and ask for Node's modules with require().
  banner: { js: 'const require = process.getBuiltinModule("node:module").createRequire(import.meta.url);' },
});

mkdirSync(parts, { recursive: true });
// Files are left alone while they stay the same: somebody may be starting the program at this moment.
const changed = outputFiles.filter(({ path, contents }) => !existsSync(path) || !readFileSync(path).equals(contents));
for (const { path, contents } of changed) writeFileSync(path, contents);
writeFileSync(join(outdir, "package.json"), '{ "type": "module" }\n');
chmodSync(program, 0o755);
const current = new Set(outputFiles.map(({ path }) => path));
for (const name of readdirSync(parts)) {
  if (!current.has(join(parts, name))) rmSync(join(parts, name));
}
if (changed.length > 0 || !existsSync(cache)) keepCompiledCode();

/** Starts the program with each adapter, none of which gets far: Node.js keeps what V8 compiled beside the program (src/main.ts). */
function keepCompiledCode() {
  rmSync(cache, { recursive: true, force: true });
  const flags = ["--yes", "--pods", "none", "--state-file", nowhere, "--audit-file", ""];
  for (const runtime of ["containerd", "cri", "docker"]) {
    spawnSync(process.execPath, [program, "prune", "--runtime", runtime, "--endpoint", `unix://${nowhere}`, ...flags], {
      env: {},
    });
  }
  for (const command of ["plan", "images"]) {
    spawnSync(process.execPath, [program, command, "--runtime", "embedded", "-o", "yaml"], { env: {} });
  }
}
