// Walks over protobuf messages without making objects of them: for the lists that hold ten thousands of records.
import { isUtf8 } from "node:buffer";

/** How the value of a field is written (protobuf encoding, "message structure"). */
const wireTypes = { varint: 0, fixed64: 1, delimited: 2, fixed32: 5 } as const;

/** Thrown for bytes that are no protobuf message, or not the one that was expected. */
export class MalformedMessageError extends Error {
  override readonly name = "MalformedMessageError";

  constructor(what: string) {
    super(`the answer cannot be decoded: ${what}`);
  }
}

/**
 * Reads the fields of a message one after the other:
 *
 *     while (reader.next()) {
 *       if (reader.field === 1) name = reader.text();
 *       else reader.skip();
 *     }
 *
 * Every field has to be read or skipped. As in every decoder, a field that comes twice counts as it came last.
 */
export class WireReader {
  /** Number of the field that `next` found. */
  field = 0;
  #type = 0;
  #at = 0;
  #end: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  /** Moves to the next field; false at the end of the message. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    const tag = this.#varint();
    this.field = tag >>> 3;
    this.#type = tag & 7;
    if (this.field === 0) throw new MalformedMessageError("a field without a number");
    return true;
  }

  /** Enters the message in this field. When `next` has found its end, `leave` has to be given what this returned. */
  enter(): number {
    const end = this.#delimited();
    const outer = this.#end;
    this.#end = end;
    return outer;
  }

  leave(outer: number): void {
    this.#end = outer;
  }

  text(): string {
    const end = this.#delimited();
    const text = this.#textAt(this.#at, end);
    this.#at = end;
    return text;
  }

  /** The text of this field when it begins with `prefix` (ASCII), else undefined: most texts then need not be made at all. */
  textWithPrefix(prefix: string): string | undefined {
    const end = this.#delimited();
    const start = this.#at;
    this.#at = end;
    if (end - start < prefix.length) return undefined;
    for (let i = 0; i < prefix.length; i += 1) if (this.#bytes[start + i] !== prefix.charCodeAt(i)) return undefined;
    return this.#textAt(start, end);
  }

  /** A view of the bytes of this field, valid as long as the message is. */
  bytes(): Buffer {
    const end = this.#delimited();
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  /** An integer of up to 64 bits with its sign. Exact up to 2^53, which no size and no time exceeds. */
  integer(): number {
    this.#expect(wireTypes.varint);
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return low;
    }
    return low + this.#upperBits() * 2 ** 28;
  }

  skip(): void {
    if (this.#type === wireTypes.delimited) this.#at = this.#delimited();
    else if (this.#type === wireTypes.fixed64) this.#jump(8);
    else if (this.#type === wireTypes.fixed32) this.#jump(4);
    else this.integer();
  }

  /** Text that is no UTF-8 is refused: replaced characters would make it another name. */
  #textAt(start: number, end: number): string {
    const text = this.#bytes.toString("utf8", start, end);
    if (text.includes("\ufffd") && !isUtf8(this.#bytes.subarray(start, end))) {
      throw new MalformedMessageError(`field ${this.field} is no UTF-8 text`);
    }
    return text;
  }

  /** Bits 28 to 63 of an integer, as a number with its sign: ten bytes hold 70 bits, of which the last six are no part of it. */
  #upperBits(): number {
    let middle = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      middle |= (byte & 0x7f) << shift;
      if (byte < 0x80) return middle;
    }
    const ninth = this.#byte();
    const tenth = ninth < 0x80 ? 0 : this.#byte();
    if (tenth >= 0x80) throw new MalformedMessageError("an integer without an end");
    const top = ((ninth & 0x7f) | ((tenth & 1) << 7)) << 24;
    return middle + (top >> 24) * 2 ** 28;
  }

  /** Where the value of a delimited field ends; moves to its beginning. */
  #delimited(): number {
    this.#expect(wireTypes.delimited);
    const end = this.#varint() + this.#at;
    if (end > this.#end) throw new MalformedMessageError("a field beyond the end of its message");
    return end;
  }

  #expect(type: number): void {
    if (this.#type !== type) throw new MalformedMessageError(`field ${this.field} has type ${this.#type}`);
  }

  #jump(count: number): void {
    this.#at += count;
    if (this.#at > this.#end) throw new MalformedMessageError("a field beyond the end of its message");
  }

  /** A tag or a length: not more than 32 bits. */
  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new MalformedMessageError("an integer without an end");
  }

  #byte(): number {
    const byte = this.#at < this.#end ? this.#bytes[this.#at] : undefined;
    if (byte === undefined) throw new MalformedMessageError("it ends in the middle of a field");
    this.#at += 1;
    return byte;
  }
}
