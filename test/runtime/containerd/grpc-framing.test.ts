// Messages come out of a body as they went in, however the connection cuts it.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { framed, MessageSplitter } from "../../../src/runtime/containerd/grpc-framing.ts";

const bodies = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 });

describe("messages of a body that arrives in pieces", () => {
  test("are those that were framed, wherever the pieces end", () => {
    fc.assert(
      fc.property(bodies, fc.array(fc.nat({ max: 300 })), (messages, cuts) => {
        const seen: Uint8Array[] = [];
        const splitter = new MessageSplitter((message) => seen.push(new Uint8Array(message)));

        for (const piece of cut(Buffer.concat(messages.map(framed)), cuts)) splitter.push(piece);

        expect(seen).toEqual(messages);
        expect(splitter.problemAtEnd(false)).toBeUndefined();
      }),
    );
  });

  test("are missed when the body ends in the middle of one", () => {
    const body = framed(Buffer.from("abc"));
    const splitter = new MessageSplitter(() => undefined);

    splitter.push(body.subarray(0, body.length - 1));

    expect(splitter.problemAtEnd(false)?.message).toContain("cut short");
  });

  test.each([0, 2])("are not the answer of a call that has one message, when there are %i", (count) => {
    const splitter = new MessageSplitter(() => undefined);

    splitter.push(Buffer.concat(Array.from({ length: count }, () => framed(Buffer.from("abc")))));

    expect(splitter.problemAtEnd(true)?.message).toContain(`the answer has ${count} messages, where one is due`);
  });

  test("are refused by the length that they claim, before anything is kept for them", () => {
    const prefix = Buffer.from([0, 0xff, 0xff, 0xff, 0xff]);

    expect(() => new MessageSplitter(() => undefined).push(prefix)).toThrow("too long");
  });

  test("are refused when they are compressed", () => {
    const body = framed(Buffer.from("abc"));
    body[0] = 1;

    expect(() => new MessageSplitter(() => undefined).push(body)).toThrow("compressed");
  });
});

function cut(body: Buffer, at: readonly number[]): Buffer[] {
  const edges = [0, ...at.filter((edge) => edge < body.length).toSorted((a, b) => a - b), body.length];
  return edges.slice(1).map((end, i) => body.subarray(edges[i], end));
}
