// Packs the folders that image-root.sh laid out into an OCI layout, one layer each. The same files give the same digests.
// Usage: node image-layout.mjs FOLDER_WITH_LAYERS OUTPUT_FOLDER
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { cacheDir, fail, root } from "./setup.mjs";

const [layersFolder, output] = process.argv.slice(2);
if (output === undefined) fail("usage: node scripts/image-layout.mjs FOLDER_WITH_LAYERS OUTPUT_FOLDER");

const { version, description, license } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
/** Kept in step with the Dockerfile; a test compares the two. */
const labels = {
  "org.opencontainers.image.title": "prunelet",
  "org.opencontainers.image.description": description,
  "org.opencontainers.image.licenses": license,
  "org.opencontainers.image.version": version,
  "org.opencontainers.image.revision": revision(),
};
const type = (name) => `application/vnd.oci.image.${name}`;

build();

function build() {
  // Beside the target and renamed in the end: an interrupted run leaves nothing that looks like an image.
  const draft = `${output}.${process.pid}`;
  mkdirSync(join(draft, "blobs/sha256"), { recursive: true });
  try {
    const layers = ["base", "agent"].map((name) => addLayer(draft, join(layersFolder, name)));
    const config = addJson(draft, type("config.v1+json"), imageConfig(layers));
    const manifest = addJson(draft, type("manifest.v1+json"), {
      schemaVersion: 2,
      mediaType: type("manifest.v1+json"),
      config,
      layers: layers.map(({ descriptor }) => descriptor),
      annotations: labels,
    });
    writeFileSync(join(draft, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
    // The full form of "prunelet:<version>", under which the kubelet looks for it.
    const names = {
      "io.containerd.image.name": `docker.io/library/prunelet:${version}`,
      "org.opencontainers.image.ref.name": version,
    };
    const index = {
      schemaVersion: 2,
      mediaType: type("index.v1+json"),
      manifests: [{ ...manifest, annotations: names }],
    };
    writeFileSync(join(draft, "index.json"), JSON.stringify(index));
    rmSync(output, { recursive: true, force: true });
    mkdirSync(dirname(output), { recursive: true });
    renameSync(draft, output);
    const bytes = [config, manifest, ...layers.map(({ descriptor }) => descriptor)].reduce(
      (sum, { size }) => sum + size,
      0,
    );
    console.log(`${output}: ${manifest.digest}, ${(bytes / 1e6).toFixed(1)} MB compressed`);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** OCI image spec, "Image Configuration". */
function imageConfig(layers) {
  return {
    created: "1970-01-01T00:00:00Z",
    os: "linux",
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    config: {
      User: "0:0",
      Env: [
        "PATH=/usr/local/bin",
        "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
        "MALLOC_ARENA_MAX=1",
        "MALLOC_TRIM_THRESHOLD_=131072",
      ],
      Entrypoint: ["/usr/local/bin/prunelet"],
      Cmd: ["run"],
      WorkingDir: "/",
      ExposedPorts: { "9095/tcp": {} },
      Labels: labels,
    },
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    history: ["Node.js and its libraries", "prunelet"].map((made) => ({ created_by: made })),
  };
}

function addLayer(layout, folder) {
  const order = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--format=ustar"];
  const archive = execFileSync("tar", [...order, "-C", folder, "-cf", "-", "."], { maxBuffer: 1 << 30 });
  const diffId = digestOf(archive);
  return { diffId, descriptor: addBlob(layout, type("layer.v1.tar+gzip"), compressed(archive, diffId)) };
}

/** Compressing Node.js takes most of the time, and it hardly ever changes. */
function compressed(archive, diffId) {
  const kept = join(cacheDir, "image", `${diffId.slice(7)}.gz`);
  if (existsSync(kept)) return readFileSync(kept);
  const bytes = gzipSync(archive, { level: 9 });
  if (archive.length < 50e6) return bytes;
  rmSync(dirname(kept), { recursive: true, force: true });
  mkdirSync(dirname(kept), { recursive: true });
  writeFileSync(`${kept}.${process.pid}`, bytes);
  renameSync(`${kept}.${process.pid}`, kept);
  return bytes;
}

function addJson(layout, mediaType, value) {
  return addBlob(layout, mediaType, Buffer.from(JSON.stringify(value)));
}

function addBlob(layout, mediaType, bytes) {
  const digest = digestOf(bytes);
  writeFileSync(join(layout, "blobs/sha256", digest.slice(7)), bytes);
  return { mediaType, digest, size: bytes.length };
}

function digestOf(bytes) {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function revision() {
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], { cwd: root, encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    return "unknown";
  }
}
