// How gRPC puts messages into a body: one byte that says whether it is compressed, four that say how long it is, the message.
import { Code, ConnectError } from "@connectrpc/connect";

const prefixBytes = 5;

/** Longer messages are refused, as everywhere: a length that is wrong must not fill the memory. */
const maxMessageBytes = 64 << 20;

/** A message as the body of a request. */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(prefixBytes + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, prefixBytes);
  return frame;
}

/** Finds the messages in a body that arrives in pieces, so that nobody has to hold the whole of it. */
export class MessageSplitter {
  readonly #visit: (message: Buffer) => void;
  #pieces: Buffer[] = [];
  #held = 0;
  #messages = 0;
  /** Bytes that have to be here before anything can be done. */
  #needed = prefixBytes;

  /** `visit` is called with each message when it is complete; the bytes are not copied, nor touched afterwards. */
  constructor(visit: (message: Buffer) => void) {
    this.#visit = visit;
  }

  /** Takes the next piece of the body. Throws what `visit` throws, and a `ConnectError` when a message is compressed or too long. */
  push(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#held += piece.length;
    if (this.#held >= this.#needed) this.#take();
  }

  /** What is wrong when the body ends now; undefined when nothing is. A `single` answer has exactly one message. */
  problemAtEnd(single: boolean): ConnectError | undefined {
    if (this.#held > 0) return new ConnectError("the answer is cut short", Code.Internal);
    if (!single || this.#messages === 1) return undefined;
    return new ConnectError(`the answer has ${this.#messages} messages, where one is due`, Code.Internal);
  }

  #take(): void {
    const [first] = this.#pieces;
    const body = this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces);
    let at = 0;
    this.#needed = prefixBytes;
    while (at + prefixBytes <= body.length) {
      if (body[at] !== 0) throw new ConnectError("the answer is compressed", Code.Internal);
      const start = at + prefixBytes;
      const length = body.readUInt32BE(at + 1);
      if (length > maxMessageBytes) {
        throw new ConnectError(`a message of ${length} bytes is too long`, Code.ResourceExhausted);
      }
      const end = start + length;
      if (end > body.length) {
        this.#needed = end - at;
        break;
      }
      this.#messages += 1;
      this.#visit(body.subarray(start, end));
      at = end;
    }
    this.#pieces = at === body.length ? [] : [body.subarray(at)];
    this.#held = body.length - at;
  }
}
