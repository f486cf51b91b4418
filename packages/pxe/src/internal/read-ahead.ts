import type { OpenFile } from "../virtual-files.ts";

const LARGEST_PIECE = 128 * 1024;
const SMALLEST_PIECE = 8 * 1024;

/** Reads a file in large pieces, one ahead, so that most blocks need no waiting. */
export interface ReadAhead {
  /** Copy these bytes, or false when they must be awaited first with `load`. */
  fill(target: Uint8Array, at: number, offset: number, length: number): boolean;
  load(offset: number, length: number): Promise<void>;
}

/**
 * Wrap an open file; closing it stays with the caller. `window` is how far back and ahead one reads, `memory`
 * what all pieces together may take, if only there is room for a small one ahead.
 */
export function readAhead(file: OpenFile, options: { window: number; memory: number }): ReadAhead {
  const { bytes } = file;
  if (bytes) {
    return {
      fill(target, at, offset, length) {
        target.set(bytes.subarray(offset, offset + length), at);
        return true;
      },
      load: () => Promise.resolve(),
    };
  }
  const piece = Math.max(
    SMALLEST_PIECE,
    Math.min(LARGEST_PIECE, Math.floor((options.memory - options.window) / 3)),
  );
  const around = Math.ceil(options.window / piece) + 1;
  const ready = new Map<number, Uint8Array>();
  const coming = new Map<number, Promise<void>>();

  const fetch = (index: number): Promise<void> => {
    const running = coming.get(index);
    if (running) return running;
    const promise = file
      .read(index * piece, piece)
      .then((part) => {
        ready.set(index, part);
        for (const old of ready.keys()) if (Math.abs(old - index) > around) ready.delete(old);
      })
      .finally(() => coming.delete(index));
    coming.set(index, promise);
    return promise;
  };

  return {
    fill(target, at, offset, length) {
      const end = offset + length;
      let to = at;
      for (let from = offset; from < end;) {
        const index = Math.floor(from / piece);
        const part = ready.get(index);
        if (!part) return false;
        const start = from - index * piece;
        const take = Math.min(part.length - start, end - from);
        target.set(part.subarray(start, start + take), to);
        to += take;
        from += take;
        const next = index + 1;
        if (next * piece < file.size && !ready.has(next)) fetch(next).catch(() => undefined);
      }
      return true;
    },
    async load(offset, length) {
      const last = Math.floor(Math.max(offset, Math.min(offset + length, file.size) - 1) / piece);
      for (let index = Math.floor(offset / piece); index <= last; index++) {
        if (!ready.has(index)) await fetch(index);
      }
    },
  };
}
