// Cuts a stream of bytes into lines of text, wherever the chunks were cut.
import { StringDecoder } from "node:string_decoder";

/** Feed it chunks, take the complete lines. */
export class LineDecoder {
  readonly #decoder = new StringDecoder("utf8");
  #parts: string[] = [];
  #pending = 0;

  /** The lines that `chunk` completes, without their line breaks. Keeps the rest for later. */
  push(chunk: Uint8Array): readonly string[] {
    const pieces = this.#decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)).split("\n");
    const rest = pieces.pop() ?? "";
    const [first, ...others] = pieces;
    if (first === undefined) {
      this.#keep(rest);
      return [];
    }
    const lines = [[...this.#parts, first].join(""), ...others];
    this.#parts = [];
    this.#pending = 0;
    this.#keep(rest);
    return lines;
  }

  /** Characters of the line that is not complete yet. */
  get pending(): number {
    return this.#pending;
  }

  #keep(rest: string): void {
    // Collected in a list: a long line that arrives byte by byte must not be copied each time.
    if (rest !== "") {
      this.#parts.push(rest);
      this.#pending += rest.length;
    }
  }
}
