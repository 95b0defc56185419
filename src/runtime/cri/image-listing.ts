// CRI's list of images for many who ask at once: removals look before and after, and one answer serves all who ask meanwhile.
import { RuntimeError } from "../runtime-error.ts";
import type { Scope } from "../wire/calls.ts";
import type { ListedImage } from "./images.ts";

type List = readonly ListedImage[];

export class ImageListing {
  readonly #ask: () => Promise<List>;
  #latest: List | undefined;
  #running: Promise<List> | undefined;
  #next: Promise<List> | undefined;

  /** `ask` asks the runtime and has a deadline of its own. */
  constructor(ask: () => Promise<List>) {
    this.#ask = ask;
  }

  /** The last list that came, however old. */
  get latest(): List | undefined {
    return this.#latest;
  }

  /** A list that is asked for from now on. */
  fresh(scope: Scope): Promise<List> {
    if (this.#running === undefined) return within(scope, this.#start());
    this.#next ??= this.#running.catch(() => undefined).then(() => this.#start());
    return within(scope, this.#next);
  }

  #start(): Promise<List> {
    this.#next = undefined;
    const running = this.#ask().then(
      (list) => {
        this.#latest = list;
        this.#running = undefined;
        return list;
      },
      (error: unknown) => {
        this.#running = undefined;
        throw error;
      },
    );
    this.#running = running;
    return running;
  }
}

/** Waits for a shared answer no longer than the one who asks wants to. */
async function within<T>({ signal, endsAt }: Scope, answer: Promise<T>): Promise<T> {
  const late = (why: string): RuntimeError => new RuntimeError("timeout", "cri list images", why);
  let timer: NodeJS.Timeout | undefined;
  let stop = (): void => undefined;
  const end = new Promise<never>((_, reject) => {
    stop = () => reject(late("stopped by the caller before the daemon answered"));
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
    if (Number.isFinite(endsAt)) {
      const left = Math.max(0, endsAt - performance.now());
      timer = setTimeout(() => reject(late("no answer in the time that was allowed")), left);
    }
  });
  try {
    return await Promise.race([answer, end]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}
