import type { OpenFile } from "../virtual-files.ts";

/** Large enough that most blocks need no waiting. */
const PIECE = 128 * 1024;
/** Readings at a time; Node has four threads for them. Each holds a piece of memory. */
const MOST_READINGS = 16;

/** Pieces of files that were read lately, for all transfers: a herd boots the same kernel. */
export interface PieceCache {
  /** A piece, if it is there; `again` when the last one asked for was the same. */
  get(key: string, again: boolean): Uint8Array | undefined;
  /** Have a piece read; those who ask for it meanwhile wait for the same reading. */
  load(key: string, read: () => Promise<Uint8Array>): Promise<Uint8Array>;
  /** A name for a file that has none. */
  name(): string;
  /** Bytes that are kept. */
  readonly bytes: number;
}

/** Make an empty cache. Of more than `limit` bytes those go first that were not used for longest. */
export function pieceCache(limit: number): PieceCache {
  const pieces = new Map<string, Uint8Array>();
  const coming = new Map<string, Promise<Uint8Array>>();
  const waiting: (() => void)[] = [];
  let bytes = 0;
  let readings = 0;
  let names = 0;
  const keep = (key: string, piece: Uint8Array): void => {
    pieces.set(key, piece);
    bytes += piece.length;
    for (const [old, { length }] of pieces) {
      if (bytes <= limit || old === key) return;
      pieces.delete(old);
      bytes -= length;
    }
  };
  const inTurn = async (read: () => Promise<Uint8Array>): Promise<Uint8Array> => {
    if (readings >= MOST_READINGS) await new Promise<void>((resolve) => waiting.push(resolve));
    readings++;
    try {
      return await read();
    } finally {
      readings--;
      waiting.shift()?.();
    }
  };
  return {
    get(key, again) {
      const piece = pieces.get(key);
      if (piece && !again) {
        pieces.delete(key);
        pieces.set(key, piece);
      }
      return piece;
    },
    load(key, read) {
      const piece = pieces.get(key);
      if (piece) return Promise.resolve(piece);
      const running = coming.get(key);
      if (running) return running;
      const promise = inTurn(read)
        .then((read) => {
          keep(key, read);
          return read;
        })
        .finally(() => coming.delete(key));
      coming.set(key, promise);
      return promise;
    },
    name: () => `own ${names++}`,
    get bytes() {
      return bytes;
    },
  };
}

/** Reads a file in pieces, one ahead. */
export interface ReadAhead {
  /** Copy these bytes, or false when they must be awaited first with `load`. */
  fill(target: Uint8Array, at: number, offset: number, length: number): boolean;
  /** Have these bytes read, those of one block; the next `fill` finds them. */
  load(offset: number, length: number): Promise<void>;
}

/** Wrap an open file; closing it stays with the caller. */
export function readAhead(file: OpenFile, cache: PieceCache): ReadAhead {
  const { bytes, identity } = file;
  if (bytes) {
    return {
      fill(target, at, offset, length) {
        target.set(bytes.subarray(offset, offset + length), at);
        return true;
      },
      load: () => Promise.resolve(),
    };
  }
  const name = identity ?? cache.name();
  let index = -1;
  let key = "";
  /** What was waited for: it must not be gone again before it is used, however many others read. */
  const awaited = new Map<number, Uint8Array>();
  const keyOf = (wanted: number): string => `${name} ${wanted}`;
  const fetch = (wanted: number): Promise<Uint8Array> =>
    cache.load(keyOf(wanted), () => file.read(wanted * PIECE, PIECE));
  const find = (wanted: number): Uint8Array | undefined => {
    // Most blocks are of the same piece as the one before.
    const again = wanted === index;
    if (!again) key = keyOf(wanted);
    const found = awaited.get(wanted) ?? cache.get(key, again);
    index = found ? wanted : -1;
    if (found && !again && (wanted + 1) * PIECE < file.size) fetch(wanted + 1).catch(() => undefined);
    return found;
  };

  return {
    fill(target, at, offset, length) {
      const end = offset + length;
      let to = at;
      for (let from = offset; from < end;) {
        const wanted = Math.floor(from / PIECE);
        const source = find(wanted);
        if (!source) return false;
        const start = from - wanted * PIECE;
        const take = Math.min(source.length - start, end - from);
        target.set(source.subarray(start, start + take), to);
        to += take;
        from += take;
      }
      awaited.clear();
      return true;
    },
    async load(offset, length) {
      const last = Math.floor((offset + Math.max(length, 1) - 1) / PIECE);
      for (let wanted = Math.floor(offset / PIECE); wanted <= last; wanted++) {
        awaited.set(wanted, await fetch(wanted));
      }
    },
  };
}
