// Notices that a file has other content, however it got it: written, replaced, or mounted anew by the kubelet.
import { type FSWatcher, readFileSync, watch } from "node:fs";
import { dirname } from "node:path";

export interface WatchFileInput {
  readonly path: string;
  /** Milliseconds between two looks, for filesystems that tell nothing. Default five seconds. */
  readonly pollMs?: number;
  /** Called when the content is another one, or can no longer or again be read. */
  readonly onChange: () => void;
}

/** Milliseconds after the last sign of a change: an editor writes in several steps. */
const settledAfter = 100;

/** Begins to watch; returns the function that ends it. */
export function watchFile({ path, pollMs = 5_000, onChange }: WatchFileInput): () => void {
  let known = contentOf(path);
  const look = (): void => {
    const now = contentOf(path);
    if (now === known) return;
    known = now;
    onChange();
  };
  let settling: NodeJS.Timeout | undefined;
  const stirred = (): void => {
    clearTimeout(settling);
    settling = setTimeout(look, settledAfter);
  };
  // A mounted ConfigMap changes by a symlink in its folder: the file itself never tells.
  const watcher = watchFolder(dirname(path), stirred);
  const poll = setInterval(look, pollMs);
  return () => {
    clearTimeout(settling);
    clearInterval(poll);
    watcher?.close();
  };
}

/** Undefined when the system has no watch to give: then polling has to do. */
function watchFolder(folder: string, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, onChange);
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

/** The content, or why it cannot be read. */
function contentOf(path: string): string {
  try {
    return `content:${readFileSync(path, "utf8")}`;
  } catch (error) {
    return `error:${String(error)}`;
  }
}
