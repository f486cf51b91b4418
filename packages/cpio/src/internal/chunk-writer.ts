import type { ResolvedPackOptions } from "../pack-options.ts";
import { headSize, nameSizeAt, TRAILER_SIZE, writeHead, writeTrailer } from "./frame.ts";
import type { Planned } from "./plan.ts";

/** Bytes gathered per chunk: small enough to stay in the cache, large enough that a write costs little. */
const CHUNK_SIZE = 256 * 1024;

/** Data from this size on are passed along without being copied, for which what was gathered has to go first. */
const PASS_THROUGH = 128 * 1024;

/** Gathers small pieces into chunks, which are ready as soon as they are full. */
export class ChunkWriter {
  /** Bytes written so far. */
  total = 0;
  readonly ready: Uint8Array[] = [];
  #chunk: Uint8Array = new Uint8Array(CHUNK_SIZE);
  #other: Uint8Array | undefined;
  #start = 0;
  #end = 0;

  /**
   * With `reuse` what is ready is good until the next entry is written: two buffers take turns, and no entry fills
   * both without its data being passed along. Without it each chunk is a fresh buffer that may be kept: chunks go to
   * sockets, files and compressors that read them later.
   */
  constructor(reuse: boolean) {
    this.#other = reuse ? new Uint8Array(CHUNK_SIZE) : undefined;
  }

  /** Reserves bytes that are zero. The caller fills them before it calls anything else here. */
  reserve(length: number): { readonly out: Uint8Array; readonly offset: number } {
    if (this.#end + length > CHUNK_SIZE) this.#renew();
    const offset = this.#end;
    this.#end += length;
    this.total += length;
    if (this.#other !== undefined) this.#chunk.fill(0, offset, this.#end);
    return { out: this.#chunk, offset };
  }

  write(bytes: Uint8Array): void {
    if (bytes.length >= PASS_THROUGH) {
      this.flush();
      this.ready.push(bytes);
      this.total += bytes.length;
      return;
    }
    if (bytes.length === 0) return;
    if (this.#end + bytes.length > CHUNK_SIZE) this.#renew();
    this.#chunk.set(bytes, this.#end);
    this.#end += bytes.length;
    this.total += bytes.length;
  }

  writeZeros(length: number): void {
    if (length >= PASS_THROUGH) this.write(new Uint8Array(length));
    else if (length > 0) this.reserve(length);
  }

  /** Makes what was gathered ready; the rest of the buffer goes on being filled. */
  flush(): void {
    if (this.#end > this.#start) this.ready.push(this.#chunk.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }

  #renew(): void {
    this.flush();
    const next = this.#other ?? new Uint8Array(CHUNK_SIZE);
    if (this.#other !== undefined) this.#other = this.#chunk;
    this.#chunk = next;
    this.#start = 0;
    this.#end = 0;
  }
}

export function writeEntryHead(
  writer: ChunkWriter,
  planned: Planned,
  { format, dataAlign }: ResolvedPackOptions,
  checksum: number,
): void {
  const nameSize = nameSizeAt(writer.total, planned, dataAlign);
  const { out, offset } = writer.reserve(headSize(nameSize));
  writeHead(out, offset, format, planned, nameSize, checksum);
}

/** The trailer, and what fills the last block. */
export function writeEnd(writer: ChunkWriter, { format, trailer, blockSize }: ResolvedPackOptions): void {
  if (trailer) {
    const { out, offset } = writer.reserve(TRAILER_SIZE);
    writeTrailer(out, offset, format);
  }
  writer.writeZeros((blockSize - (writer.total % blockSize)) % blockSize);
  writer.flush();
}
