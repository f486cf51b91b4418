/** A strict decoder of PNG and animated PNG (PNG specification, third edition), written from the specification alone. */
import { crc32, inflateSync } from "node:zlib";

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue of each pixel. */
  readonly rgb: Buffer;
  /** Whether the pixel differs from black. */
  lit(x: number, y: number): boolean;
}

export interface AnimationFrame {
  /** What a viewer shows: this frame's pixels over those of the frames before. */
  readonly picture: Picture;
  /** In milliseconds. */
  readonly delay: number;
}

export interface Animation {
  readonly width: number;
  readonly height: number;
  readonly bits: number;
  readonly colourType: number;
  readonly plays: number;
  readonly frames: readonly AnimationFrame[];
}

interface Chunk {
  readonly type: string;
  readonly body: Buffer;
}

interface Format {
  readonly width: number;
  readonly height: number;
  readonly bits: number;
  readonly colourType: number;
  readonly palette: Buffer;
}

/** Samples a pixel, by colour type. */
const SAMPLES: Readonly<Record<number, number>> = { 2: 3, 3: 1, 6: 4 };

export function decodePng(file: Uint8Array): Picture {
  const chunks = readChunks(file);
  const format = readFormat(chunks);
  const data = chunks.filter(({ type }) => type === "IDAT").map(({ body }) => body);
  const { width, height } = format;
  return picture(width, height, decodePixels(format, width, height, Buffer.concat(data)));
}

export function decodeApng(file: Uint8Array): Animation {
  const chunks = readChunks(file);
  const format = readFormat(chunks);
  const { width, height, bits, colourType } = format;
  const control = chunks.findIndex(({ type }) => type === "acTL");
  check(control > 0 && control < chunks.findIndex(({ type }) => type === "IDAT"), "acTL comes before IDAT");
  const total = chunks[control]?.body.readUInt32BE(0);
  const plays = chunks[control]?.body.readUInt32BE(4) ?? 0;
  const canvas = Buffer.alloc(width * height * 3);
  const frames: AnimationFrame[] = [];
  let sequence = 0;
  for (let at = control + 1; chunks[at]?.type !== "IEND"; at += 2) {
    const { type, body } = chunks[at] ?? { type: "nothing", body: Buffer.alloc(0) };
    check(type === "fcTL" && body.length === 26, `a frame begins with fcTL, not ${type}`);
    check(body.readUInt32BE(0) === sequence++, "fcTL has the next sequence number");
    const [w, h, x, y] = [4, 8, 12, 16].map((offset) => body.readUInt32BE(offset)) as [
      number,
      number,
      number,
      number,
    ];
    check(w > 0 && h > 0 && x + w <= width && y + h <= height, "a frame is inside of the canvas");
    check(body[24] === 0 && body[25] === 0, "a frame is painted over the one before and stays");
    const data = chunks[at + 1] ?? { type: "nothing", body: Buffer.alloc(0) };
    if (frames.length === 0) {
      check(
        data.type === "IDAT" && w === width && h === height,
        "the first frame is IDAT and the whole canvas",
      );
    } else {
      check(data.type === "fdAT", `a later frame's data is fdAT, not ${data.type}`);
      check(data.body.readUInt32BE(0) === sequence++, "fdAT has the next sequence number");
    }
    const rgb = decodePixels(format, w, h, frames.length === 0 ? data.body : data.body.subarray(4));
    for (let row = 0; row < h; row += 1)
      rgb.copy(canvas, ((y + row) * width + x) * 3, row * w * 3, (row + 1) * w * 3);
    const delay = (body.readUInt16BE(20) * 1000) / (body.readUInt16BE(22) || 100);
    frames.push({ picture: picture(width, height, Buffer.from(canvas)), delay });
  }
  check(frames.length === total, `acTL tells of ${total} frames, there are ${frames.length}`);
  return { width, height, bits, colourType, plays, frames };
}

function picture(width: number, height: number, rgb: Buffer): Picture {
  return {
    width,
    height,
    rgb,
    lit: (x, y) => [0, 1, 2].some((channel) => (rgb[(y * width + x) * 3 + channel] ?? 0) > 0),
  };
}

function readChunks(file: Uint8Array): Chunk[] {
  const bytes = Buffer.from(file);
  check(bytes.toString("latin1", 0, 8) === "\u0089PNG\r\n\u001A\n", "the signature");
  const chunks: Chunk[] = [];
  for (let at = 8; at < bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const sum = bytes.readUInt32BE(at + 8 + length);
    const type = bytes.toString("latin1", at + 4, at + 8);
    check(crc32(bytes.subarray(at + 4, at + 8 + length)) === sum, `the checksum of ${type}`);
    chunks.push({ type, body: bytes.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  check(chunks.at(-1)?.type === "IEND", "IEND is the last chunk");
  return chunks;
}

function readFormat(chunks: readonly Chunk[]): Format {
  const { type, body } = chunks[0] ?? { type: "nothing", body: Buffer.alloc(0) };
  check(type === "IHDR" && body.length === 13, "IHDR is the first chunk");
  const [bits = 0, colourType = 0, ...others] = body.subarray(8);
  check(SAMPLES[colourType] !== undefined && (bits === 8 || colourType === 3), "a kind of PNG that is known");
  check(others.join() === "0,0,0", "the one compression, the one kind of filters, and no interlace");
  const palette = chunks.find((chunk) => chunk.type === "PLTE")?.body ?? Buffer.alloc(0);
  check((colourType === 3) === palette.length > 0 && palette.length <= 3 << bits, "the palette's size");
  return { width: body.readUInt32BE(0), height: body.readUInt32BE(4), bits, colourType, palette };
}

function decodePixels(format: Format, width: number, height: number, data: Buffer): Buffer {
  const { bits, colourType, palette } = format;
  const samples = SAMPLES[colourType] ?? 0;
  const stride = Math.ceil((width * samples * bits) / 8);
  const raw = inflateSync(data);
  check(raw.length === (stride + 1) * height, "the number of bytes");
  const lines = unfilter(raw, stride, height, samples);
  const rgb = Buffer.alloc(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    if (colourType !== 3) {
      lines.copy(rgb, pixel * 3, y * stride + x * samples, y * stride + x * samples + 3);
      continue;
    }
    const byte = lines[y * stride + Math.floor((x * bits) / 8)] ?? 0;
    const index = (byte >> (8 - bits - ((x * bits) % 8))) & ((1 << bits) - 1);
    check(index * 3 < palette.length, "a colour of the palette");
    palette.copy(rgb, pixel * 3, index * 3, index * 3 + 3);
  }
  return rgb;
}

function unfilter(raw: Buffer, stride: number, height: number, step: number): Buffer {
  const lines = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y += 1) {
    const filter = raw[y * (stride + 1)] ?? 0;
    check(filter <= 4, "a filter that is known");
    for (let x = 0; x < stride; x += 1) {
      const a = x >= step ? (lines[y * stride + x - step] ?? 0) : 0;
      const b = y > 0 ? (lines[(y - 1) * stride + x] ?? 0) : 0;
      const c = x >= step && y > 0 ? (lines[(y - 1) * stride + x - step] ?? 0) : 0;
      const predicted = [0, a, b, (a + b) >> 1, paeth(a, b, c)][filter] ?? 0;
      lines[y * stride + x] = (raw[y * (stride + 1) + 1 + x] ?? 0) + predicted;
    }
  }
  return lines;
}

function paeth(a: number, b: number, c: number): number {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  if (pa <= pb && pa <= pc) return a;
  return pb <= pc ? b : c;
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`Not as it should be: ${what}`);
}
