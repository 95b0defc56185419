#!/bin/sh
# Lays out the files of the image: Node.js, the libraries it needs, certificates, and the agent. The Dockerfile and image.sh
# both call it, so that both build the same image. Usage: image-root.sh NODE_BINARY BUNDLE TARGET_FOLDER
set -eu
[ $# -eq 3 ] || { echo "usage: image-root.sh NODE_BINARY BUNDLE TARGET_FOLDER" >&2; exit 2; }
node=$1 bundle=$2 target=$3
base=$target/base agent=$target/agent

command -v ldd >/dev/null || { echo "image-root.sh: ldd is missing: build on a Debian, or with the Dockerfile" >&2; exit 1; }
for file in "$node" "$bundle" /etc/ssl/certs/ca-certificates.crt; do
  [ -f "$file" ] || { echo "image-root.sh: $file is missing (certificates: package ca-certificates)" >&2; exit 1; }
done

# The base: changes with Node.js and Debian only, so nodes keep it across releases of the agent.
mkdir -p "$base/usr/local/bin" "$base/etc/ssl/certs" "$base/usr/share/doc"
# Symbols for debuggers are a tenth of the binary; those that native modules link to stay.
if command -v strip >/dev/null; then
  strip --strip-unneeded -o "$base/usr/local/bin/node" "$node"
else
  echo "image-root.sh: no strip (package binutils): the image becomes some megabytes larger" >&2
  cp "$node" "$base/usr/local/bin/node"
fi
chmod 755 "$base/usr/local/bin/node"
ldd "$node" | grep -o '/[^ ]*' | while read -r library; do
  mkdir -p "$base$(dirname "$library")"
  cp -L "$library" "$base$library"
  package=$(dpkg-query -S "$library" "$(readlink -f "$library")" 2>/dev/null | head -n 1 | cut -d: -f1 || true)
  if [ -n "$package" ] && [ -f "/usr/share/doc/$package/copyright" ]; then
    mkdir -p "$base/usr/share/doc/$package"
    cp -L "/usr/share/doc/$package/copyright" "$base/usr/share/doc/$package/copyright"
  fi
done
cp -L /etc/ssl/certs/ca-certificates.crt "$base/etc/ssl/certs/ca-certificates.crt"
echo 'root:x:0:0:root:/:/usr/sbin/nologin' >"$base/etc/passwd"
echo 'root:x:0:' >"$base/etc/group"
echo 'hosts: files dns' >"$base/etc/nsswitch.conf"

# The agent. The first line is how the kernel starts it without a shell. A small young generation leaves room in the pod's
# memory for commands that are run beside the agent.
mkdir -p "$agent/usr/local/lib/prunelet" "$agent/usr/local/bin" "$agent/var/lib/prunelet"
{
  echo '#!/usr/local/bin/node --max-semi-space-size=1'
  sed '1{/^#!/d}' "$bundle"
} >"$agent/usr/local/lib/prunelet/prunelet.js"
chmod 755 "$agent/usr/local/lib/prunelet/prunelet.js"
echo '{"type":"module"}' >"$agent/usr/local/lib/prunelet/package.json"
ln -s ../lib/prunelet/prunelet.js "$agent/usr/local/bin/prunelet"

find "$target" -type d -exec chmod 755 {} +
