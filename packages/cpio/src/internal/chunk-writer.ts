import type { ResolvedPackOptions } from "../pack-options.ts";
import { headSize, nameSizeAt, TRAILER_SIZE, writeHead, writeTrailer } from "./frame.ts";
import type { Planned } from "./plan.ts";

/** Bytes gathered per chunk: small enough to stay in the cache, large enough that a write costs little. */
const CHUNK_SIZE = 256 * 1024;

/** Data from this size on are passed along without being copied. */
const PASS_THROUGH = 32 * 1024;

/** Gathers small pieces into chunks, and gives each as soon as it is full. */
export class ChunkWriter {
  /** Bytes written so far. */
  total = 0;
  readonly #give: (chunk: Uint8Array) => void;
  readonly #reuse: boolean;
  #chunk = new Uint8Array(CHUNK_SIZE);
  #start = 0;
  #end = 0;

  /**
   * With `reuse` a chunk is good only until `give` returns; without it each is a fresh buffer that may be kept:
   * chunks go to sockets, files and compressors that read them later.
   */
  constructor(give: (chunk: Uint8Array) => void, reuse: boolean) {
    this.#give = give;
    this.#reuse = reuse;
  }

  /** Reserves bytes that are zero. The caller fills them before it calls anything else here. */
  reserve(length: number): { readonly out: Uint8Array; readonly offset: number } {
    if (this.#end + length > CHUNK_SIZE) this.#renew();
    const offset = this.#end;
    this.#end += length;
    this.total += length;
    if (this.#reuse) this.#chunk.fill(0, offset, this.#end);
    return { out: this.#chunk, offset };
  }

  write(bytes: Uint8Array): void {
    if (bytes.length >= PASS_THROUGH) {
      this.flush();
      this.#give(bytes);
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
    for (let left = length; left > 0; left -= CHUNK_SIZE) this.reserve(Math.min(left, CHUNK_SIZE));
  }

  /** Gives what was gathered; the rest of the buffer goes on being filled. */
  flush(): void {
    if (this.#end > this.#start) this.#give(this.#chunk.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }

  #renew(): void {
    this.flush();
    if (!this.#reuse) this.#chunk = new Uint8Array(CHUNK_SIZE);
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
