import { UkiError } from "./errors.ts";
import { openSource, type Source, type UkiInput } from "./internal/source.ts";

/** A part of a file that is put together while it is read. What is between the pieces is zeros. */
export interface Piece {
  readonly start: number;
  readonly size: number;
  readonly from: UkiInput;
}

/** An image ready for reading at any offset; close it. */
export interface UkiReader extends AsyncDisposable {
  readonly size: number;
  /** Fewer bytes than asked for only at the end. They are not to be written into. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Opens the files of all pieces, so that no later change of names can mix two builds. */
export async function openPieces(pieces: readonly Piece[], size: number): Promise<UkiReader> {
  const open: { readonly piece: Piece; readonly source: Source }[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(open.splice(0).map(({ source }) => source.close()));
  };
  try {
    for (const piece of pieces) {
      const source = await openSource(piece.from);
      open.push({ piece, source });
      if (source.size !== piece.size) {
        throw new UkiError(
          "UKI_FILE_CHANGED",
          `${source.name} has ${source.size} bytes; it had ${piece.size} when the image was prepared`,
          { hint: "Prepare the image again" },
        );
      }
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    size,
    async read(offset, length) {
      const end = Math.min(offset + length, size);
      if (end <= offset) return new Uint8Array(0);
      let result: Uint8Array | undefined;
      for (const { piece, source } of open) {
        const from = Math.max(offset, piece.start);
        const to = Math.min(end, piece.start + piece.size);
        if (from >= to) continue;
        const bytes = await source.read(from - piece.start, to - from);
        // The common case needs no second copy.
        if (bytes.length === end - offset) return bytes;
        result ??= new Uint8Array(end - offset);
        result.set(bytes, from - offset);
      }
      return result ?? new Uint8Array(end - offset);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
