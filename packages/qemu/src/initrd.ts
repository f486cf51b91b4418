import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { QemuError } from "./errors.ts";

/** One part of an initramfs: a file, or bytes. */
export type InitrdPiece = string | Uint8Array;

export type InitrdLayout =
  | { readonly kind: "none" }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "joined"; readonly pieces: readonly InitrdPiece[] };

/** A single file is used where it lies; anything else has to be joined into one. */
export function initrdLayout(parts: readonly InitrdPiece[]): InitrdLayout {
  const [first] = parts;
  if (first === undefined) return { kind: "none" };
  if (parts.length === 1 && typeof first === "string") return { kind: "file", path: first };
  return { kind: "joined", pieces: parts };
}

/**
 * Writes the parts one after another, each padded with zeros to a multiple of four: the kernel accepts the header
 * of an uncompressed archive only there (linux init/initramfs.c, `unpack_to_rootfs`).
 */
export async function joinInitrd(
  parts: readonly InitrdPiece[],
  path: string,
  signal?: AbortSignal,
): Promise<void> {
  await pipeline(joined(parts), createWriteStream(path, { mode: 0o600 }), { signal });
}

async function* joined(parts: readonly InitrdPiece[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    let size = 0;
    for await (const chunk of typeof part === "string" ? fileChunks(part) : [part]) {
      size += chunk.length;
      yield chunk;
    }
    if (size % 4 !== 0) yield new Uint8Array(4 - (size % 4));
  }
}

async function* fileChunks(path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path)) yield chunk as Uint8Array;
  } catch (error) {
    throw new QemuError(
      "QEMU_FILE_UNREADABLE",
      `Cannot read initrd part "${path}": ${(error as Error).message}`,
      { cause: error },
    );
  }
}
