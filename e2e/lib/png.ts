/** Decodes the PNG files that QEMU writes (8 bits, RGB or RGBA, not interlaced) to luminance. */
import { inflateSync } from "node:zlib";

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** One byte a pixel, 0 black to 255 white. */
  readonly light: Uint8Array;
}

const signature = "89504e470d0a1a0a";

export function decodePng(bytes: Buffer): Picture {
  if (bytes.subarray(0, 8).toString("hex") !== signature) throw new Error("Not a PNG file");
  const data: Buffer[] = [];
  let width = 0;
  let height = 0;
  let channels = 0;
  for (let at = 8; at < bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString("latin1", at + 4, at + 8);
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (type === "IHDR") {
      width = body.readUInt32BE(0);
      height = body.readUInt32BE(4);
      channels = { 2: 3, 6: 4 }[body[9] ?? 0] ?? 0;
      if (body[8] !== 8 || channels === 0 || body[12] !== 0) throw new Error("Unexpected kind of PNG");
    } else if (type === "IDAT") data.push(body);
    at += 12 + length;
  }
  const raw = inflateSync(Buffer.concat(data));
  const stride = width * channels;
  const lines = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) unfilter(raw, lines, y, stride, channels);
  const light = new Uint8Array(width * height);
  for (let i = 0; i < light.length; i++)
    light[i] = Math.max(lines[i * channels] ?? 0, lines[i * channels + 1] ?? 0, lines[i * channels + 2] ?? 0);
  return { width, height, light };
}

/** Undoes one line's filter (PNG specification, 9.2). */
function unfilter(raw: Buffer, lines: Buffer, y: number, stride: number, channels: number): void {
  const from = y * (stride + 1);
  const filter = raw[from] ?? 0;
  for (let x = 0; x < stride; x++) {
    const left = x >= channels ? (lines[y * stride + x - channels] ?? 0) : 0;
    const up = y > 0 ? (lines[(y - 1) * stride + x] ?? 0) : 0;
    const corner = x >= channels && y > 0 ? (lines[(y - 1) * stride + x - channels] ?? 0) : 0;
    const add = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter] ?? 0;
    lines[y * stride + x] = (raw[from + 1 + x] ?? 0) + add;
  }
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}
