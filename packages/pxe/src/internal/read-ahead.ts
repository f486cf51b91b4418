import type { OpenFile } from "../virtual-files.ts";

const CHUNK = 128 * 1024;

/** Reads a file in large pieces, one ahead, so that most blocks need no waiting. */
export interface ReadAhead {
  /** The bytes, in one or two parts, or undefined when they must be awaited first with `load`. */
  peek(offset: number, length: number): readonly Uint8Array[] | undefined;
  load(offset: number, length: number): Promise<void>;
}

/** Wrap an open file; closing it stays with the caller. */
export function readAhead(file: OpenFile): ReadAhead {
  const ready = new Map<number, Uint8Array>();
  const coming = new Map<number, Promise<void>>();

  const fetch = (index: number): Promise<void> => {
    const running = coming.get(index);
    if (running) return running;
    const promise = file
      .read(index * CHUNK, CHUNK)
      .then((bytes) => {
        ready.set(index, bytes);
        // The window reaches back at most one chunk (64 blocks of 1468 bytes).
        for (const old of ready.keys()) if (old < index - 2 || old > index + 2) ready.delete(old);
      })
      .finally(() => coming.delete(index));
    coming.set(index, promise);
    return promise;
  };

  return {
    peek(offset, length) {
      const parts: Uint8Array[] = [];
      const end = Math.min(offset + length, file.size);
      for (let at = offset; at < end;) {
        const index = Math.floor(at / CHUNK);
        const chunk = ready.get(index);
        if (!chunk) return undefined;
        const from = at - index * CHUNK;
        const part = chunk.subarray(from, Math.min(chunk.length, from + end - at));
        parts.push(part);
        at += part.length;
        const next = index + 1;
        if (next * CHUNK < file.size && !ready.has(next)) fetch(next).catch(() => undefined);
      }
      return parts;
    },
    async load(offset, length) {
      const last = Math.floor(Math.max(offset, Math.min(offset + length, file.size) - 1) / CHUNK);
      for (let index = Math.floor(offset / CHUNK); index <= last; index++) {
        if (!ready.has(index)) await fetch(index);
      }
    },
  };
}
