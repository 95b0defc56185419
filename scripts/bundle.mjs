// The bundler's settings. Runs on the project's own Node.js, after the dependencies are installed.
import { chmodSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const outfile = join(root, "dist/prunelet.js");

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

await build({
  entryPoints: [join(root, "src/main.ts")],
  outfile,
  bundle: true,
  platform: "node",
  target: "node24",
  format: "esm",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  logLevel: "warning",
  plugins: [leaveOutUnusedParts],
  // Some dependencies are CommonJS and ask for Node's modules with require().
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
});
chmodSync(outfile, 0o755);
