// The lists that are decoded by hand mean the same as to the generated codec, whatever the daemon puts into its records.
import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ContainerSchema,
  ListContainersResponseSchema,
  NewContainerSchema,
} from "../../../src/runtime/containerd/gen/containerd/services/containers/v1/containers_pb.js";
import {
  InfoSchema as BlobSchema,
  ListContentResponseSchema,
} from "../../../src/runtime/containerd/gen/containerd/services/content/v1/content_pb.js";
import { ListImagesResponseSchema } from "../../../src/runtime/containerd/gen/containerd/services/images/v1/images_pb.js";
import {
  Kind,
  ListSnapshotsResponseSchema,
  InfoSchema as SnapshotSchema,
} from "../../../src/runtime/containerd/gen/containerd/services/snapshots/v1/snapshots_pb.js";
import { instantOf } from "../../../src/runtime/containerd/timestamp.ts";
import { MalformedMessageError, WireReader } from "../../../src/runtime/containerd/wire-reader.ts";
import {
  decodeBlob,
  decodeContainer,
  decodeName,
  decodeSnapshot,
  forEachRecord,
} from "../../../src/runtime/containerd/wire-records.ts";

const gcKeys = ["containerd.io/gc.ref.content.l.0", "containerd.io/gc.root", "containerd.io/gc.", "containerd.io/gc"];
const text = fc.oneof(fc.string({ unit: "binary", maxLength: 12 }), fc.constantFrom("", "\ufeffx", "\ufffd", "ä€😀"));
const key = fc.oneof(fc.constantFrom(...gcKeys, "io.cri-containerd.image", "__proto__", "constructor"), text);
const labels = fc
  .array(fc.tuple(key, text), { maxLength: 4 })
  .map((entries) => entries.map(([k, v]) => mapEntry(k, v)));
const integer = fc.oneof(
  fc.bigInt({ min: -(2n ** 53n), max: 2n ** 53n }),
  fc.constantFrom(0n, 127n, 128n, 2n ** 28n - 1n, 2n ** 28n, 2n ** 35n, -1n, -62_135_596_800n, 2n ** 53n),
);
const time = fc.option(fc.record({ seconds: integer, nanos: fc.nat({ max: 999_999_999 }) }), { nil: undefined });

/** Fields that no schema of ours has, of every type that a server may write. */
const strange = fc
  .array(
    fc.oneof(
      integer.map((value) => new BinaryWriter().tag(90, 0).int64(value)),
      fc.nat().map((value) => new BinaryWriter().tag(91, 5).fixed32(value)),
      integer.map((value) => new BinaryWriter().tag(92, 1).sfixed64(value)),
      fc.uint8Array({ maxLength: 300 }).map((value) => new BinaryWriter().tag(2_000, 2).bytes(value)),
    ),
    { maxLength: 3 },
  )
  .map((writers) => Buffer.concat(writers.map((writer) => writer.finish())));

describe("records decoded by hand", () => {
  test("names are those of the generated codec", () => {
    const record = fc.record({ name: text, digest: text, labels, created: time, updated: time, strange });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 3 }), (records) => {
        const list = listOf(
          records.map(({ name, digest, labels: entries, created, updated, strange: more }) =>
            Buffer.concat([
              stringField(1, name),
              ...entries.map((entry) => bytesField(2, entry)),
              bytesField(3, Buffer.concat([stringField(1, "type"), stringField(2, digest), more])),
              timeField(7, created),
              more,
              timeField(8, updated),
            ]),
          ),
        );
        const expected = fromBinary(ListImagesResponseSchema, list).images.map((image) => ({
          name: image.name,
          target: image.target?.digest ?? "",
          createdAt: toInstant(image.createdAt),
          updatedAt: toInstant(image.updatedAt),
          labels: image.labels,
        }));

        expect(decodeAll(list, decodeName)).toEqual(expected);
      }),
    );
  });

  test("blobs are those of the generated codec, with the labels that the collector reads", () => {
    const record = fc.record({ digest: text, size: integer, labels, strange });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 3 }), (records) => {
        const list = listOf(
          records.map(({ digest, size, labels: entries, strange: more }) =>
            Buffer.concat([
              more,
              encoded(BlobSchema, { digest, size }),
              ...entries.map((entry) => bytesField(5, entry)),
            ]),
          ),
        );
        const expected = fromBinary(ListContentResponseSchema, list).info.map((info) => ({
          digest: info.digest,
          size: Number(info.size),
          labels: forCollector(info.labels),
        }));

        expect(decodeAll(list, decodeBlob)).toEqual(expected);
      }),
    );
  });

  test("snapshots are those of the generated codec", () => {
    const kind = fc.constantFrom(Kind.UNKNOWN, Kind.VIEW, Kind.ACTIVE, Kind.COMMITTED);
    const record = fc.record({ name: text, parent: text, kind, created: time, labels, strange });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 3 }), (records) => {
        const list = listOf(
          records.map(({ labels: entries, created, strange: more, ...rest }) =>
            Buffer.concat([
              encoded(SnapshotSchema, rest),
              timeField(4, created),
              ...entries.map((entry) => bytesField(6, entry)),
              more,
            ]),
          ),
        );
        const expected = fromBinary(ListSnapshotsResponseSchema, list).info.map((info) => ({
          name: info.name,
          parent: info.parent,
          committed: info.kind === Kind.COMMITTED,
          createdAt: info.createdAt ? `${info.createdAt.seconds}.${info.createdAt.nanos}` : "",
          labels: forCollector(info.labels),
        }));

        expect(decodeAll(list, decodeSnapshot)).toEqual(expected);
      }),
    );
  });

  test("containers are those of the generated codec, whatever their runtime spec", () => {
    const extension = fc.constantFrom("io.cri-containerd.container.metadata", "other");
    const extensions = fc.dictionary(extension, fc.uint8Array({ maxLength: 20 }));
    const spec = fc.uint8Array({ maxLength: 500 });
    const record = fc.record({
      id: text,
      image: text,
      snapshotter: text,
      snapshotKey: text,
      spec,
      extensions,
      labels,
      created: time,
    });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 3 }), (records) => {
        const list = listOf(
          records.map(({ labels: entries, spec: value, extensions: given, created, ...rest }) => {
            const any = (bytes: Uint8Array) => ({ typeUrl: "t", value: new Uint8Array(bytes) });
            const named = Object.entries(given).map(([name, bytes]) => [name, any(bytes)] as const);
            const init = { ...rest, spec: any(value), extensions: Object.fromEntries(named) };
            const fields = entries.map((entry) => bytesField(2, entry));
            return Buffer.concat([encoded(NewContainerSchema, init), timeField(8, created), ...fields]);
          }),
        );
        const expected = fromBinary(ListContainersResponseSchema, list).containers.map((container) => ({
          id: container.id,
          image: container.image,
          snapshotter: container.snapshotter,
          snapshotKey: container.snapshotKey,
          createdAt: toInstant(container.createdAt),
          labels: container.labels,
          criMetadata: copyOf(container.extensions["io.cri-containerd.container.metadata"]?.value),
        }));
        const found = decodeAll(list, decodeContainer).map(({ criMetadata, ...rest }) => ({
          ...rest,
          criMetadata: copyOf(criMetadata),
        }));

        expect(found).toEqual(expected);
      }),
    );
  });

  test("bytes that are no such message are refused, never half read", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.constantFrom(decodeName, decodeBlob, decodeContainer),
        (bytes, decode) => {
          try {
            decodeAll(Buffer.from(bytes), decode as typeof decodeName);
          } catch (error) {
            expect(error).toBeInstanceOf(MalformedMessageError);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test("a record that is cut short is refused", () => {
    const whole = encoded(BlobSchema, { digest: `sha256:${"a".repeat(64)}`, size: 5n });
    const list = listOf([whole]);

    for (let end = 1; end < list.length; end += 1) {
      expect(() => decodeAll(list.subarray(0, end), decodeBlob)).toThrow(MalformedMessageError);
    }
  });

  test("text that is no UTF-8 is refused", () => {
    const list = listOf([bytesField(1, Buffer.from([0x61, 0xff]))]);

    expect(() => decodeAll(list, decodeName)).toThrow("is no UTF-8 text");
  });

  test("skips the runtime spec of a container without looking into it", () => {
    const container = encoded(ContainerSchema, { id: "a" });
    const reader = new WireReader(Buffer.concat([bytesField(5, Buffer.from([0xff, 0xff])), container]));

    expect(decodeContainer(reader).id).toBe("a");
  });
});

function decodeAll<Entry>(list: Uint8Array, decode: (reader: WireReader) => Entry): Entry[] {
  const entries: Entry[] = [];
  forEachRecord(Buffer.from(list), decode, (entry) => entries.push(entry));
  return entries;
}

function copyOf(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes && new Uint8Array(bytes);
}

function listOf(records: readonly Uint8Array[]): Buffer {
  return Buffer.concat(records.map((record) => bytesField(1, record)));
}

function encoded<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): Uint8Array {
  return toBinary(schema, create<Desc>(schema, init));
}

function stringField(number: number, value: string): Uint8Array {
  return new BinaryWriter().tag(number, 2).string(value).finish();
}

function bytesField(number: number, value: Uint8Array): Uint8Array {
  return new BinaryWriter().tag(number, 2).bytes(value).finish();
}

/** As Go writes it: fields that are empty may be left out, and the value may come before the key. */
function mapEntry(mapKey: string, value: string): Uint8Array {
  const parts = [mapKey === "" ? [] : [stringField(1, mapKey)], value === "" ? [] : [stringField(2, value)]].flat();
  return Buffer.concat(mapKey.length % 2 === 0 ? parts : parts.reverse());
}

interface Time {
  readonly seconds: bigint;
  readonly nanos: number;
}

function timeField(number: number, value: Time | undefined): Uint8Array {
  if (value === undefined) return new Uint8Array();
  const message = new BinaryWriter().tag(1, 0).int64(value.seconds).tag(2, 0).int32(value.nanos).finish();
  return bytesField(number, message);
}

function toInstant(value: Time | undefined): number | undefined {
  return value && instantOf({ seconds: Number(value.seconds), nanos: value.nanos });
}

function forCollector(all: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => name.startsWith("containerd.io/gc.")));
}
