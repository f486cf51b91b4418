import { statSync, type Stats } from "node:fs";
import { resolve as resolveHost } from "node:path";

import { InitramfsError } from "../error.ts";
import { readError, readHostRange } from "../internal/host-view.ts";
import type { FileContent } from "../tree.ts";

/** An archive's bytes, in memory or on the disk, read from any place. */
export interface ByteSource {
  readonly size: number;
  /** Fewer at the end. */
  read(offset: number, length: number): Uint8Array;
  /** A part as a file's content, without reading it. */
  content(offset: number, size: number): FileContent;
  slice(offset: number, size: number): ByteSource;
}

export function memorySource(bytes: Uint8Array): ByteSource {
  const part = (offset: number, size: number): Uint8Array => bytes.subarray(offset, offset + size);
  return {
    size: bytes.length,
    read: part,
    content: (offset, size) => ({ kind: "bytes", bytes: part(offset, size) }),
    slice: (offset, size) => memorySource(part(offset, size)),
  };
}

/** A file that the user named. Links are followed, but it must be a regular file: a pipe would block. */
export function fileSource(path: string): ByteSource {
  let stats: Stats | undefined;
  try {
    stats = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw readError(path, error);
  }
  if (stats === undefined)
    throw new InitramfsError("INITRAMFS_NOT_FOUND", `The file "${path}" does not exist`);
  if (!stats.isFile())
    throw new InitramfsError("INITRAMFS_READ", `Cannot read "${path}": it is no regular file`);
  return rangeSource(resolveHost(path), 0, stats.size);
}

/** A file's content as an archive of its own. */
export function contentSource(content: FileContent): ByteSource {
  return content.kind === "bytes"
    ? memorySource(content.bytes)
    : rangeSource(content.path, content.offset ?? 0, content.size);
}

const WINDOW = 1 << 16;

function rangeSource(path: string, start: number, size: number): ByteSource {
  // Headers are small and often near each other: one read serves many.
  let window: { readonly at: number; readonly bytes: Uint8Array } | undefined;
  return {
    size,
    read(offset, length) {
      const wanted = Math.max(0, Math.min(length, size - offset));
      if (wanted > WINDOW) return readHostRange(path, start + offset, wanted);
      if (window === undefined || offset < window.at || offset + wanted > window.at + window.bytes.length) {
        const bytes = readHostRange(path, start + offset, Math.min(WINDOW, Math.max(0, size - offset)));
        window = { at: offset, bytes };
      }
      return window.bytes.subarray(offset - window.at, offset - window.at + wanted);
    },
    content: (offset, length) => ({ kind: "host", path, offset: start + offset, size: length }),
    slice: (offset, length) =>
      rangeSource(path, start + offset, Math.max(0, Math.min(length, size - offset))),
  };
}

/** The whole in pieces. */
export function* chunks(source: ByteSource): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < source.size;) {
    const chunk = source.read(at, 1 << 20);
    if (chunk.length === 0) return;
    yield chunk;
    at += chunk.length;
  }
}
