/** Bytes gathered per chunk: small enough to stay in the cache, large enough that a write costs little. */
const CHUNK_SIZE = 256 * 1024;

/** Data from this size on are passed along without being copied. */
const PASS_THROUGH = 32 * 1024;

/**
 * Gathers small pieces into chunks. Every chunk is a fresh buffer that its reader may keep: chunks go to
 * sockets, files and compressors that read them later.
 */
export class ChunkWriter {
  /** Bytes written so far. */
  total = 0;
  readonly ready: Uint8Array[] = [];
  #chunk = new Uint8Array(CHUNK_SIZE);
  #start = 0;
  #end = 0;

  /** Reserves bytes that are zero. The caller fills them before it calls anything else here. */
  reserve(length: number): { readonly out: Uint8Array; readonly offset: number } {
    if (this.#end + length > CHUNK_SIZE) this.#renew();
    const offset = this.#end;
    this.#end += length;
    this.total += length;
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
    const { out, offset } = this.reserve(bytes.length);
    out.set(bytes, offset);
  }

  writeZeros(length: number): void {
    for (let left = length; left > 0; left -= CHUNK_SIZE) this.reserve(Math.min(left, CHUNK_SIZE));
  }

  /** Makes what was gathered ready; the rest of the buffer goes on being filled. */
  flush(): void {
    if (this.#end > this.#start) this.ready.push(this.#chunk.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }

  #renew(): void {
    this.flush();
    this.#chunk = new Uint8Array(CHUNK_SIZE);
    this.#start = 0;
    this.#end = 0;
  }
}
