// The records of the daemon's long lists, decoded by hand: only the fields that we use, and of labels only those that matter.
import type { Instant } from "../../image/node-state.ts";
import type { Labels } from "./gc-labels.ts";
import { instantOf, type TimeOnWire } from "./timestamp.ts";
import { WireReader } from "./wire-reader.ts";

/** An image record: a name and what it points to. */
export interface NameOnWire {
  readonly name: string;
  /** Empty when the record has none. */
  readonly target: string;
  readonly createdAt: Instant | undefined;
  readonly updatedAt: Instant | undefined;
  readonly labels: Labels;
}

/** A blob of the content store. */
export interface BlobOnWire {
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** Those for the garbage collector. */
  readonly labels: Labels;
}

/** The value of `Kind` in the daemon's snapshots service that means a finished snapshot. */
const committedKind = 3;
const criMetadataKey = "io.cri-containerd.container.metadata";

/** A snapshot of one snapshotter. */
export interface SnapshotOnWire {
  readonly name: string;
  /** Empty when it has none. */
  readonly parent: string;
  readonly committed: boolean;
  /** Text that differs when the key was used again; empty when there is no time. */
  readonly createdAt: string;
  /** Those for the garbage collector. */
  readonly labels: Labels;
}

/** A container record, without the runtime spec. */
export interface ContainerOnWire {
  readonly id: string;
  readonly image: string;
  readonly snapshotter: string;
  readonly snapshotKey: string;
  readonly createdAt: Instant | undefined;
  readonly labels: Labels;
  /** What CRI wrote into the record. */
  readonly criMetadata: Uint8Array | undefined;
}

/** Calls `visit` with each record of a message whose field 1 holds them, as all lists of the daemon do. */
export function forEachRecord<Entry>(
  message: Buffer,
  decode: (reader: WireReader) => Entry,
  visit: (entry: Entry) => void,
): void {
  const reader = new WireReader(message);
  while (reader.next()) {
    if (reader.field === 1) {
      const outer = reader.enter();
      const entry = decode(reader);
      reader.leave(outer);
      visit(entry);
    } else reader.skip();
  }
}

/** `containerd.services.images.v1.Image`. */
export function decodeName(reader: WireReader): NameOnWire {
  let name = "";
  let target = "";
  let createdAt: Instant | undefined;
  let updatedAt: Instant | undefined;
  let labels = noLabels;
  while (reader.next()) {
    if (reader.field === 1) name = reader.text();
    else if (reader.field === 2) labels = withLabel(labels, reader, "");
    else if (reader.field === 3) target = decodeDescriptor(reader);
    else if (reader.field === 7) createdAt = instantOf(decodeTime(reader));
    else if (reader.field === 8) updatedAt = instantOf(decodeTime(reader));
    else reader.skip();
  }
  return { name, target, createdAt, updatedAt, labels };
}

/** `containerd.services.content.v1.Info`. */
export function decodeBlob(reader: WireReader): BlobOnWire {
  let digest = "";
  let size = 0;
  let labels = noLabels;
  while (reader.next()) {
    if (reader.field === 1) digest = reader.text();
    else if (reader.field === 2) size = reader.integer();
    else if (reader.field === 5) labels = withLabel(labels, reader, gcPrefix);
    else reader.skip();
  }
  return { digest, size, labels };
}

/** `containerd.services.snapshots.v1.Info`. */
export function decodeSnapshot(reader: WireReader): SnapshotOnWire {
  let name = "";
  let parent = "";
  let kind = 0;
  let createdAt = "";
  let labels = noLabels;
  while (reader.next()) {
    if (reader.field === 1) name = reader.text();
    else if (reader.field === 2) parent = reader.text();
    else if (reader.field === 3) kind = reader.integer();
    else if (reader.field === 4) createdAt = textOf(decodeTime(reader));
    else if (reader.field === 6) labels = withLabel(labels, reader, gcPrefix);
    else reader.skip();
  }
  return { name, parent, committed: kind === committedKind, createdAt, labels };
}

/** `containerd.services.containers.v1.Container`. */
export function decodeContainer(reader: WireReader): ContainerOnWire {
  const found = { id: "", image: "", snapshotter: "", snapshotKey: "" };
  let createdAt: Instant | undefined;
  let labels = noLabels;
  let criMetadata: Uint8Array | undefined;
  while (reader.next()) {
    const text = containerTexts[reader.field];
    if (text !== undefined) found[text] = reader.text();
    else if (reader.field === 2) labels = withLabel(labels, reader, "");
    else if (reader.field === 8) createdAt = instantOf(decodeTime(reader));
    else if (reader.field === 10) criMetadata = decodeCriMetadata(reader) ?? criMetadata;
    else reader.skip();
  }
  return { ...found, createdAt, labels, criMetadata };
}

const containerTexts: Readonly<Record<number, "id" | "image" | "snapshotter" | "snapshotKey">> = {
  1: "id",
  3: "image",
  6: "snapshotter",
  7: "snapshotKey",
};

/** What the collector reads begins so. */
const gcPrefix = "containerd.io/gc.";
const noLabels: Labels = {};

/** `labels` with the entry of a map in this field, if its key begins with `prefix`. */
function withLabel(labels: Labels, reader: WireReader, prefix: string): Labels {
  let key: string | undefined = "";
  let value = "";
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) key = reader.textWithPrefix(prefix);
    else if (reader.field === 2 && key !== undefined) value = reader.text();
    else reader.skip();
  }
  reader.leave(outer);
  if (!key?.startsWith(prefix)) return labels;
  const all: Record<string, string> = labels === noLabels ? {} : labels;
  // Assigning to this one key would set no label.
  if (key === "__proto__")
    Object.defineProperty(all, key, { value, configurable: true, enumerable: true, writable: true });
  else all[key] = value;
  return all;
}

/** The digest in a `containerd.types.Descriptor`. */
function decodeDescriptor(reader: WireReader): string {
  let digest = "";
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 2) digest = reader.text();
    else reader.skip();
  }
  reader.leave(outer);
  return digest;
}

function textOf({ seconds, nanos }: TimeOnWire): string {
  return `${seconds}.${nanos}`;
}

/** `google.protobuf.Timestamp`. */
function decodeTime(reader: WireReader): TimeOnWire {
  let seconds = 0;
  let nanos = 0;
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) seconds = reader.integer();
    else if (reader.field === 2) nanos = reader.integer();
    else reader.skip();
  }
  reader.leave(outer);
  return { seconds, nanos };
}

/** The value of the extension that CRI keeps its own metadata in; undefined for other extensions. */
function decodeCriMetadata(reader: WireReader): Uint8Array | undefined {
  let key = "";
  let metadata: Uint8Array | undefined;
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) key = reader.text();
    else if (reader.field === 2) metadata = decodeAny(reader);
    else reader.skip();
  }
  reader.leave(outer);
  return key === criMetadataKey ? metadata : undefined;
}

/** The value of a `google.protobuf.Any`. */
function decodeAny(reader: WireReader): Uint8Array {
  let value: Uint8Array = new Uint8Array();
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 2) value = reader.bytes();
    else reader.skip();
  }
  reader.leave(outer);
  return value;
}
