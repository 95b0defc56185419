// A small deterministic tar writer (POSIX ustar): what image layers and image archives need, nothing more.

export type TarEntry =
  | { readonly kind: "file"; readonly path: string; readonly content: Uint8Array; readonly mode?: number }
  | { readonly kind: "directory"; readonly path: string; readonly mode?: number }
  | { readonly kind: "symlink"; readonly path: string; readonly target: string };

const blockSize = 512;
const typeFlags = { file: "0", directory: "5", symlink: "2" } as const;
const defaultModes = { file: 0o644, directory: 0o755, symlink: 0o777 } as const;

/** The archive of `entries` in their order. Owner root, time 0: the same entries always give the same bytes. */
export function createTar(entries: readonly TarEntry[]): Buffer {
  const end = Buffer.alloc(2 * blockSize);
  return Buffer.concat([...entries.flatMap(toBlocks), end]);
}

function toBlocks(entry: TarEntry): readonly Uint8Array[] {
  if (entry.kind !== "file") return [header(entry, 0)];
  const padding = Buffer.alloc((blockSize - (entry.content.length % blockSize)) % blockSize);
  return [header(entry, entry.content.length), entry.content, padding];
}

/** Field offsets and lengths as in POSIX.1-1988, "ustar Interchange Format". */
function header(entry: TarEntry, size: number): Buffer {
  const block = Buffer.alloc(blockSize);
  const { name, prefix } = splitPath(entry.kind === "directory" ? `${entry.path}/` : entry.path);
  const mode = entry.kind === "symlink" ? undefined : entry.mode;
  block.write(name, 0, 100, "utf8");
  writeOctal(block, { value: mode ?? defaultModes[entry.kind], offset: 100, length: 8 });
  writeOctal(block, { value: 0, offset: 108, length: 8 });
  writeOctal(block, { value: 0, offset: 116, length: 8 });
  writeOctal(block, { value: size, offset: 124, length: 12 });
  writeOctal(block, { value: 0, offset: 136, length: 12 });
  block.write(typeFlags[entry.kind], 156, 1, "latin1");
  if (entry.kind === "symlink") block.write(limited(entry.target, 100), 157, 100, "utf8");
  block.write("ustar\u000000", 257, 8, "latin1");
  block.write(prefix, 345, 155, "utf8");
  writeChecksum(block);
  return block;
}

function writeOctal(block: Buffer, field: { value: number; offset: number; length: number }): void {
  const digits = field.value.toString(8).padStart(field.length - 1, "0");
  block.write(digits, field.offset, field.length - 1, "latin1");
}

/** The sum of all header bytes, with the checksum field itself read as blanks. */
function writeChecksum(block: Buffer): void {
  block.fill(" ", 148, 156, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, 8, "latin1");
}

/** A name of more than 100 bytes is cut at a slash into prefix and name. */
function splitPath(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: "" };
  for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) {
    const name = path.slice(at + 1);
    if (name !== "" && Buffer.byteLength(name) <= 100) return { name, prefix: limited(path.slice(0, at), 155) };
  }
  throw new RangeError(`path too long for a tar header: ${path}`);
}

function limited(text: string, bytes: number): string {
  if (Buffer.byteLength(text) > bytes) throw new RangeError(`too long for a tar header (${bytes} bytes): ${text}`);
  return text;
}
