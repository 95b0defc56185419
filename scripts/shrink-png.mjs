// Makes a picture of a page small: its 256 most frequent colours stay, every other pixel takes the nearest of them. Understands
// what Chromium writes (8 bits for each of red, green and blue, not interlaced); see the PNG specification, chapters 9 to 11.
import { crc32, deflateSync, inflateSync } from "node:zlib";

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** The picture with a palette. Fails on a kind of PNG that it does not understand. */
export function shrinkPng(png) {
  const { width, height, data } = read(png);
  const pixels = unfilter(inflateSync(data), width * 3, height);
  const { palette, indexOf } = choosePalette(pixels);
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) rows[y * (width + 1) + 1 + x] = indexOf(colorAt(pixels, (y * width + x) * 3));
  return Buffer.concat([
    signature,
    chunk("IHDR", header(width, height)),
    chunk("PLTE", Buffer.from(palette.flatMap((color) => [color >> 16, (color >> 8) & 255, color & 255]))),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function read(png) {
  const parts = [];
  let head;
  for (let at = signature.length; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const type = png.toString("latin1", at + 4, at + 8);
    const body = png.subarray(at + 8, at + 8 + length);
    if (type === "IHDR") head = body;
    if (type === "IDAT") parts.push(body);
    at += 12 + length;
  }
  // Depth 8, colour type 2 (RGB), and the only methods there are, without interlacing.
  if (!head?.subarray(8, 13).equals(Buffer.from([8, 2, 0, 0, 0]))) throw new Error("not an RGB picture of 8 bits");
  return { width: head.readUInt32BE(0), height: head.readUInt32BE(4), data: Buffer.concat(parts) };
}

/** Takes the row filters back: each byte was written as the difference to a guess from its neighbours. */
function unfilter(raw, stride, height) {
  const pixels = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const guess = guesses[raw[y * (stride + 1)]];
    for (let i = 0; i < stride; i++) {
      const at = y * stride + i;
      const left = i >= 3 ? pixels[at - 3] : 0;
      const above = y > 0 ? pixels[at - stride] : 0;
      const corner = i >= 3 && y > 0 ? pixels[at - stride - 3] : 0;
      pixels[at] = raw[y * (stride + 1) + 1 + i] + guess(left, above, corner);
    }
  }
  return pixels;
}

const guesses = [() => 0, (left) => left, (_, above) => above, (left, above) => (left + above) >> 1, paeth];

function paeth(left, above, corner) {
  const [toLeft, toAbove] = [Math.abs(above - corner), Math.abs(left - corner)];
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

function colorAt(pixels, at) {
  return (pixels[at] << 16) | (pixels[at + 1] << 8) | pixels[at + 2];
}

function choosePalette(pixels) {
  const counts = new Map();
  for (let at = 0; at < pixels.length; at += 3) {
    const color = colorAt(pixels, at);
    counts.set(color, (counts.get(color) ?? 0) + 1);
  }
  const byCount = [...counts].toSorted(([, a], [, b]) => b - a);
  const palette = byCount.slice(0, 256).map(([color]) => color);
  const indexes = new Map(palette.map((color, index) => [color, index]));
  const indexOf = (color) => {
    if (!indexes.has(color)) indexes.set(color, nearest(palette, color));
    return indexes.get(color);
  };
  return { palette, indexOf };
}

function nearest(palette, color) {
  const distances = palette.map((one) => distance(one, color));
  return distances.indexOf(Math.min(...distances));
}

function distance(one, other) {
  const parts = [16, 8, 0].map((shift) => ((one >> shift) & 255) - ((other >> shift) & 255));
  return parts.reduce((sum, part) => sum + part * part, 0);
}

function header(width, height) {
  const body = Buffer.alloc(13);
  body.writeUInt32BE(width, 0);
  body.writeUInt32BE(height, 4);
  body.set([8, 3, 0, 0, 0], 8);
  return body;
}

function chunk(type, body) {
  const typed = Buffer.concat([Buffer.from(type, "latin1"), body]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length);
  check.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, check]);
}
