/** Bytes that came in chunks of any size and are taken in pieces of other sizes, without copies if possible. */
export class ByteQueue {
  /** Bytes taken or dropped so far: the position in the input. */
  position = 0;
  /** Bytes that can be taken now. */
  available = 0;
  /** True when nothing will be pushed any more. */
  ended = false;
  #chunks: Uint8Array[] = [];
  /** Chunks before this index are used up; they are cut off now and then, not one by one. */
  #first = 0;
  #offset = 0;

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.available += chunk.length;
  }

  /** Copies what is left, so that the chunks' owner may use them again. */
  keep(): void {
    if (this.available === 0) return;
    this.#chunks = [new Uint8Array(this.peek(this.available))];
    this.#first = 0;
    this.#offset = 0;
  }

  /** Takes exactly `length` bytes, which must be available. */
  take(length: number): Uint8Array {
    const bytes = this.peek(length);
    this.#advance(bytes.length);
    return bytes;
  }

  /** Takes between 1 and `most` bytes without a copy; at least one must be available. */
  takeSome(most: number): Uint8Array {
    const chunk = this.#chunks[this.#first] as Uint8Array;
    const bytes = chunk.subarray(this.#offset, this.#offset + most);
    this.#advance(bytes.length);
    return bytes;
  }

  /** The next `length` bytes, or fewer if fewer are available. */
  peek(length: number): Uint8Array {
    const chunk = this.#chunks[this.#first];
    if (chunk === undefined) return new Uint8Array(0);
    if (chunk.length - this.#offset >= length) return chunk.subarray(this.#offset, this.#offset + length);
    const bytes = new Uint8Array(Math.min(length, this.available));
    let filled = 0;
    let offset = this.#offset;
    for (let index = this.#first; filled < bytes.length; index++) {
      const piece = (this.#chunks[index] as Uint8Array).subarray(offset, offset + bytes.length - filled);
      bytes.set(piece, filled);
      filled += piece.length;
      offset = 0;
    }
    return bytes;
  }

  /** Drops NUL bytes and returns how many. Stops at the first other byte. */
  dropZeros(): number {
    let dropped = 0;
    while (this.available > 0) {
      const chunk = this.#chunks[this.#first] as Uint8Array;
      let end = this.#offset;
      while (end < chunk.length && chunk[end] === 0) end++;
      const run = end - this.#offset;
      const stop = end < chunk.length;
      this.#advance(run);
      dropped += run;
      if (stop) break;
    }
    return dropped;
  }

  #advance(length: number): void {
    this.position += length;
    this.available -= length;
    let left = length;
    while (left > 0) {
      const inChunk = (this.#chunks[this.#first] as Uint8Array).length - this.#offset;
      if (left < inChunk) {
        this.#offset += left;
        return;
      }
      left -= inChunk;
      this.#first++;
      this.#offset = 0;
    }
    if (this.#first > 1024 || this.#first === this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#first);
      this.#first = 0;
    }
  }
}
