// Reads a blob piece by piece, however large it is and however slowly it is taken.
import type { Digest } from "../../image/digest.ts";
import type { CallOptions } from "../runtime.ts";
import { RuntimeError } from "../runtime-error.ts";
import type { Connection } from "./connection.ts";

const operation = "read content";
/** Milliseconds that a piece may take to come when nobody says otherwise. */
const defaultTimeoutMs = 30_000;

/** The bytes of a blob as they are stored. The deadline counts for each piece, not while the caller works on one. */
export async function* readBlob(
  { connection, namespace }: { readonly connection: Connection; readonly namespace: string },
  digest: Digest,
  { signal, timeoutMs = defaultTimeoutMs }: CallOptions = {},
): AsyncIterable<Uint8Array> {
  const end = new AbortController();
  const either = signal === undefined ? end.signal : AbortSignal.any([signal, end.signal]);
  const messages = connection
    .stream({ operation, namespace }, either, (wire) => {
      return connection.clients.content.read({ digest }, { ...wire, headers: { "containerd-namespace": namespace } });
    })
    [Symbol.asyncIterator]();
  try {
    for (;;) {
      const timer = setTimeout(() => end.abort(), timeoutMs);
      const message = await messages.next().finally(() => clearTimeout(timer));
      if (message.done) break;
      yield message.value.data;
    }
    if (signal?.aborted) throw new RuntimeError("timeout", operation, "stopped by the caller before the end");
    if (end.signal.aborted) {
      const mend = "the daemon hangs or is overloaded, look at its log";
      throw new RuntimeError("timeout", operation, `nothing came for ${timeoutMs / 1000} s: ${mend}`);
    }
  } finally {
    // A caller that has read enough ends the stream, too.
    end.abort();
  }
}
