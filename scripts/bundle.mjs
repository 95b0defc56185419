// The bundler's settings. Runs on the project's own Node.js, after the dependencies are installed.
import { chmodSync, readFileSync, renameSync, rmSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const outfile = join(root, "dist/prunelet.js");
/** The bundle takes its place whole: somebody may be starting the one that is there, or building another. */
const draft = `${outfile}.${process.pid}`;

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

// One file. What the program imports by `import()` is evaluated when that is called.
const building = build({
  entryPoints: [join(root, "src/main.ts")],
  outfile: draft,
  bundle: true,
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
try {
  await building;
  chmodSync(draft, 0o755);
  renameSync(draft, outfile);
} finally {
  rmSync(draft, { force: true });
}
