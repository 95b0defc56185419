// Changes in the engine, as hints to look again.
import type { IncomingMessage } from "node:http";
import type { RuntimeEvent } from "../runtime.ts";
import { RuntimeError } from "../runtime-error.ts";
import type { Engine } from "./engine.ts";
import { toRuntimeError } from "./errors.ts";
import { engineEvent } from "./schema.ts";

const operation = "watch events";
/** An engine says nothing while nothing happens: after this many milliseconds it is asked whether it is still there. */
const usualIdleMs = 60_000;
const everyKind: readonly RuntimeEvent["kind"][] = ["image", "container"];
const longestLine = 1 << 20;

export interface EventOptions {
  /** Milliseconds of silence after which the engine is asked whether it is there. Default 60 s. */
  readonly idleMs?: number;
}

export interface Subscription extends EventOptions {
  readonly namespace: string;
  /** What the caller wants to hear of. Default: everything. */
  readonly kinds: readonly RuntimeEvent["kind"][] | undefined;
  readonly signal: AbortSignal;
}

/** The changes until `signal` fires. Nothing is replayed: look again after every (re)connect. Throws when the engine goes away. */
export async function* subscribe(
  engine: Engine,
  { namespace, kinds = everyKind, signal, idleMs = usualIdleMs }: Subscription,
): AsyncIterable<RuntimeEvent> {
  if (signal.aborted) return;
  try {
    const { api } = await engine.facts({ signal });
    const filters = encodeURIComponent(JSON.stringify({ type: kinds }));
    const response = await engine.http.open({ operation, path: `/v${api}/events?filters=${filters}` }, signal);
    for await (const line of linesOf(response, () => stillThere(engine, signal), idleMs)) {
      const kind = kindOf(line);
      if (kind !== undefined) yield { kind, namespace };
    }
    throw new RuntimeError("unavailable", operation, "the engine ended the stream of events: it stopped or restarted");
  } catch (error) {
    if (signal.aborted) return;
    throw toRuntimeError(error, { operation, address: engine.http.address, timeoutMs: 0 });
  }
}

async function stillThere(engine: Engine, signal: AbortSignal): Promise<void> {
  await engine.ping({ signal });
}

/** The lines of an endless answer. `whenIdle` is called after each silence and ends the reading by throwing. */
async function* linesOf(
  response: IncomingMessage,
  whenIdle: () => Promise<void>,
  silenceMs: number,
): AsyncIterable<string> {
  const pieces = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const piece = await nextPiece(pieces.next(), whenIdle, silenceMs);
      if (piece.done === true) return;
      const lines = (rest + decoder.decode(piece.value, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > longestLine)
        throw new RuntimeError("internal", operation, "a line without an end: these are no events");
      yield* lines;
    }
  } finally {
    response.destroy();
  }
}

/** Waits for the next piece, however long it takes, as long as the engine says in between that it is there. */
async function nextPiece(
  coming: Promise<IteratorResult<Buffer>>,
  whenIdle: () => Promise<void>,
  silenceMs: number,
): Promise<IteratorResult<Buffer>> {
  for (;;) {
    const alarm = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => alarm.resolve(undefined), silenceMs);
    const piece = await Promise.race([coming, alarm.promise]).finally(() => clearTimeout(timer));
    if (piece !== undefined) return piece;
    coming.catch(() => undefined);
    await whenIdle();
  }
}

const imageActions: ReadonlySet<string> = new Set([
  ...["pull", "tag", "untag", "delete", "import", "load", "prune", "create"],
  // Podman's words.
  ...["remove", "build", "loadfromarchive"],
]);
const containerActions: ReadonlySet<string> = new Set(["create", "start", "die", "destroy", "remove"]);

/** What a line is about; undefined for what changes neither names nor uses of images, and for lines that cannot be read. */
function kindOf(line: string): RuntimeEvent["kind"] | undefined {
  const event = readEvent(line);
  const action = event?.Action || event?.status || "";
  if (event?.Type === "image" && imageActions.has(action)) return "image";
  return event?.Type === "container" && containerActions.has(action) ? "container" : undefined;
}

function readEvent(line: string) {
  try {
    return engineEvent.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
