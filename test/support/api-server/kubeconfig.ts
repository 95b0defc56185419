// Writes a kubeconfig for the test API server, the way administrators write them.
import { writeFileSync } from "node:fs";
import { stringify } from "yaml";

export interface KubeconfigSketch {
  readonly server: string;
  /** PEM of the CA; undefined leaves it out. */
  readonly ca?: string;
  readonly token?: string;
  /** A file with the token, as a path that may be relative to the kubeconfig. */
  readonly tokenFile?: string;
}

/** Writes the file and returns its path. Without a token there is no user in it. */
export function writeKubeconfig(path: string, sketch: KubeconfigSketch): string {
  const ca = sketch.ca === undefined ? {} : { "certificate-authority-data": Buffer.from(sketch.ca).toString("base64") };
  const token = sketch.token === undefined ? {} : { token: sketch.token };
  const tokenFile = sketch.tokenFile === undefined ? {} : { tokenFile: sketch.tokenFile };
  const anonymous = sketch.token === undefined && sketch.tokenFile === undefined;
  const content = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server: sketch.server, ...ca } }],
    users: anonymous ? [] : [{ name: "prunelet", user: { ...token, ...tokenFile } }],
    contexts: [{ name: "test", context: { cluster: "test", ...(anonymous ? {} : { user: "prunelet" }) } }],
    "current-context": "test",
  };
  writeFileSync(path, stringify(content));
  return path;
}
