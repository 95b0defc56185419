// A small image that really runs: the machine's static busybox.
import { readFileSync } from "node:fs";
import { type BuiltImage, buildImage, type ImageDescription } from "./image.ts";
import { type BuiltLayer, buildLayer, type LayerFile } from "./layer.ts";

/** Programs that tests run in containers. */
const applets = ["sh", "sleep", "echo", "cat", "ls", "true", "false", "mkdir", "dd"];

let cachedLayer: BuiltLayer | undefined;

/** The layer with busybox and its applets; built once, shared by all images of this process. */
export function busyboxLayer(): BuiltLayer {
  cachedLayer ??= buildLayer(busyboxFiles());
  return cachedLayer;
}

/** An image that sleeps until it is stopped, unless told otherwise. Layers given are put on top of busybox. */
export function busyboxImage({ layers = [], ...rest }: Partial<ImageDescription> = {}): BuiltImage {
  return buildImage({ cmd: ["sleep", "3600"], ...rest, layers: [busyboxLayer(), ...layers] });
}

function busyboxFiles(): Readonly<Record<string, LayerFile>> {
  const links = applets.map((name): [string, LayerFile] => [`bin/${name}`, { linkTo: "busybox" }]);
  return {
    "bin/busybox": { content: readFileSync("/bin/busybox"), mode: 0o755 },
    ...Object.fromEntries(links),
    "etc/passwd": "root:x:0:0:root:/:/bin/sh\n",
    "etc/group": "root:x:0:\n",
  };
}
