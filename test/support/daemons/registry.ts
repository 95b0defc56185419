// A real registry for one test: on the loopback interface, plain HTTP, storage in a temporary folder.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Digest, hexOf } from "../../../src/image/digest.ts";
import { createTempFolder } from "../temp.ts";
import { waitFor } from "../wait.ts";
import { guardProcess } from "./guard.ts";
import { findProgram, required } from "./manifest.ts";
import { startDaemon } from "./processes.ts";

export interface Registry {
  /** `127.0.0.1:<port>`: the domain of its images. */
  readonly host: string;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Writes other content over a blob or manifest that it stores: what is told about it stays as it was. */
  alter(digest: Digest, bytes: Uint8Array): void;
  logs(): string;
  stop(): Promise<void>;
}

/** Starts a registry on a free port and waits until it answers. */
export async function startRegistry(): Promise<Registry> {
  guardProcess();
  const folder = createTempFolder();
  const config = join(folder.path, "config.json");
  writeFileSync(config, JSON.stringify(configOf(folder.path)));
  const daemon = startDaemon(required(findProgram("registry")), ["serve", config]);
  const stop = async () => {
    await daemon.end();
    folder.remove();
  };
  try {
    const host = await waitFor("the registry to listen", () => listeningAddress(daemon.logs()));
    const url = `http://${host}`;
    await waitFor("the registry to answer", async () => (await fetch(`${url}/v2/`)).ok);
    const alter = (digest: Digest, bytes: Uint8Array) => writeFileSync(blobFile(folder.path, digest), bytes);
    return { host, url, alter, logs: daemon.logs, stop };
  } catch (error) {
    await stop();
    throw new Error(`the registry did not start: ${daemon.logs().slice(-2_000)}`, { cause: error });
  }
}

/** JSON is YAML. Port 0: the system chooses, the registry logs which. */
function configOf(folder: string): unknown {
  return {
    version: "0.1",
    log: { level: "info", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, "storage") }, delete: { enabled: true } },
    http: { addr: "127.0.0.1:0" },
  };
}

/** Where the registry's filesystem driver keeps a blob. */
function blobFile(folder: string, digest: Digest): string {
  const hex = hexOf(digest);
  return join(folder, "storage/docker/registry/v2/blobs/sha256", hex.slice(0, 2), hex, "data");
}

function listeningAddress(logs: string): string | undefined {
  return /listening on (127\.0\.0\.1:[1-9]\d*)/.exec(logs)?.[1];
}
