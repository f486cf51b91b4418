import { open, rm } from "node:fs/promises";
import type { Depth } from "./scanlines.ts";

/** What changed from one picture of a film to the next: some rows, from the left to the right. */
export interface Strip {
  /** Milliseconds since the machine was started. */
  readonly at: number;
  readonly width: number;
  readonly top: number;
  readonly rows: number;
  readonly depth: Depth;
  /** As in a PNG. */
  readonly data: Uint8Array;
}

/** Strips that wait on the disk until their number, colours and largest size are known. */
export interface Spool {
  add(strip: Strip): Promise<void>;
  /** All strips, in order. */
  read(): AsyncGenerator<Strip>;
  close(): Promise<void>;
}

const HEADER = 32;
/** What is read at once: under load it is each trip to the disk that takes time. */
const BLOCK = 256 * 1024;

/** The file has no name any more once it is open: nothing is left of it, whatever happens. */
export async function openSpool(path: string): Promise<Spool> {
  const file = await open(path, "w+", 0o600);
  await rm(path);
  let end = 0;

  return {
    add: async ({ at, width, top, rows, depth, data }) => {
      const header = Buffer.alloc(HEADER);
      header.writeDoubleLE(at, 0);
      for (const [index, field] of [width, top, rows, depth, data.length].entries())
        header.writeUInt32LE(field, 8 + 4 * index);
      await file.appendFile(Buffer.concat([header, data]));
      end += HEADER + data.length;
    },
    async *read() {
      if (end === 0) return;
      let bytes = Buffer.alloc(0);
      for await (const more of file.createReadStream({
        start: 0,
        end: end - 1,
        autoClose: false,
        highWaterMark: BLOCK,
      })) {
        bytes = Buffer.concat([bytes, more as Buffer]);
        let from = 0;
        for (;;) {
          const strip = stripAt(bytes, from);
          if (strip === undefined) break;
          yield strip;
          from += HEADER + strip.data.length;
        }
        bytes = bytes.subarray(from);
      }
    },
    close: () => file.close(),
  };
}

/** The record that begins there, if all of it is. */
function stripAt(bytes: Buffer, from: number): Strip | undefined {
  if (bytes.length < from + HEADER) return undefined;
  const field = (index: number): number => bytes.readUInt32LE(from + 8 + 4 * index);
  const next = from + HEADER + field(4);
  if (bytes.length < next) return undefined;
  const data = bytes.subarray(from + HEADER, next);
  const at = bytes.readDoubleLE(from);
  return { at, width: field(0), top: field(1), rows: field(2), depth: field(3) as Depth, data };
}
