#!/bin/sh
# Builds the image as an OCI layout, without a registry and without a Docker daemon: from the project's own Node.js and the
# libraries of this machine, which must be a Debian. Usage: scripts/image.sh [OUTPUT_FOLDER], by default dist/image.
# Use it with `skopeo copy oci:dist/image ...` or `tar -C dist/image -c . | ctr -n k8s.io images import -`.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$root/dist/image}

node "$root/scripts/build.mjs"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
node=$("$root/node_modules/.bin/node" -p process.execPath)
sh "$root/scripts/image-root.sh" "$node" "$root/dist/prunelet.js" "$work"
"$node" "$root/scripts/image-layout.mjs" "$work" "$out"
