import type { CpioEntry, CpioHeader, CpioInput, PackOptions, UnpackOptions } from "../src/index.ts";
import {
  CpioError,
  type CpioErrorCode,
  indexCpio,
  packCpio,
  packCpioSync,
  unpackCpio,
} from "../src/index.ts";

/** A whole archive from the streaming writer. */
export async function packAll(
  entries: Iterable<CpioInput> | AsyncIterable<CpioInput>,
  options?: PackOptions,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of packCpio(entries, options)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The same from the synchronous writer, whose chunks are copied at once. */
export function packAllSync(entries: Iterable<CpioInput>, options?: PackOptions): Buffer {
  const chunks: Buffer[] = [];
  for (const chunk of packCpioSync(entries, options)) {
    chunks.push(Buffer.from(chunk));
    // Whoever kept it would see this.
    if (chunk.buffer.byteLength === 256 * 1024) chunk.fill(0xff);
  }
  return Buffer.concat(chunks);
}

export async function dataOf(entry: CpioEntry): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry.data) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export type Collected = CpioHeader & { readonly data: Buffer };

/** All entries with their data from the streaming reader. */
export async function unpackAll(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options?: UnpackOptions,
): Promise<Collected[]> {
  const entries: Collected[] = [];
  for await (const entry of unpackCpio(source, options))
    entries.push({ ...entry, data: await dataOf(entry) });
  return entries;
}

/** All entries from the reader that looks at headers alone, with their data from where it says. */
export function indexAll(bytes: Uint8Array, most: () => number): Collected[] {
  const read = (at: number, length: number): Uint8Array => bytes.subarray(at, at + Math.min(length, most()));
  return [...indexCpio({ size: bytes.length, read })].map(({ dataOffset, ...header }) => {
    const size = header.type === "file" ? header.size : 0;
    return { ...header, data: Buffer.from(bytes.subarray(dataOffset, dataOffset + size)) };
  });
}

/** Cuts bytes into chunks of a fixed size, or of sizes that a function gives. */
export function* chunksOf(bytes: Uint8Array, size: number | (() => number)): Generator<Uint8Array> {
  for (let offset = 0; offset < bytes.length;) {
    const length = typeof size === "number" ? size : size();
    yield bytes.subarray(offset, offset + length);
    offset += length;
  }
}

/** The code of the CpioError that an action ends with; any other end is a failed test. */
export async function codeOf(action: () => unknown): Promise<CpioErrorCode> {
  try {
    await action();
  } catch (error) {
    if (error instanceof CpioError) return error.code;
    throw error;
  }
  throw new Error("no error was thrown");
}

/** Runs to the error and gives it. */
export async function errorOf(action: () => unknown): Promise<CpioError> {
  try {
    await action();
  } catch (error) {
    if (error instanceof CpioError) return error;
    throw error;
  }
  throw new Error("no error was thrown");
}
