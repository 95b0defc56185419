// The bundler's settings. Runs on the project's own Node.js, after the dependencies are installed.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const outdir = join(root, "dist");

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

const settings = {
  outdir,
  write: false,
  bundle: true,
  platform: "node",
  target: "node24",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  logLevel: "warning",
  plugins: [leaveOutUnusedParts, readOnlyWhatIsUsed, giveLightHeaders],
};

/** The whole program as one function. What it imports by `import()` is evaluated when that is called. */
const program = await build({
  ...settings,
  entryPoints: { program: join(root, "src/cli/program.ts") },
  format: "cjs",
  banner: { js: "(function (require) { const module = {};" },
  footer: { js: "return module.exports; })" },
});
/** What starts it. */
const edge = await build({ ...settings, entryPoints: { prunelet: join(root, "src/main.ts") }, format: "esm" });

const files = [...program.outputFiles, ...edge.outputFiles];
// Left alone while nothing changed: somebody may be starting the program at this moment.
if (!files.every(({ path, contents }) => existsSync(path) && readFileSync(path).equals(contents))) write(files);

function write(changed) {
  mkdirSync(outdir, { recursive: true });
  for (const { path, contents } of changed) writeFileSync(path, contents);
  writeFileSync(join(outdir, "package.json"), '{ "type": "module" }\n');
  chmodSync(join(outdir, "prunelet.js"), 0o755);
  // In an environment of its own: nothing of it may reach the commands that are run there.
  const { status, stderr } = spawnSync(process.execPath, [join(root, "scripts/compile.mjs"), outdir], { env: {} });
  if (status !== 0) throw new Error(`the program could not be compiled: ${stderr}`);
}
