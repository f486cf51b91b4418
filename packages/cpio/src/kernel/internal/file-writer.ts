import { addChecksum } from "../../internal/layout.ts";
import { dropBytes, type Inode } from "./inode.ts";

/** A file that is open for its data, which come in one piece or in several. */
export class FileWriter {
  readonly inode: Inode;
  /** Bytes written. */
  position = 0;
  sum = 0;
  readonly #before: readonly Uint8Array[];
  readonly #written: Uint8Array[] = [];

  constructor(inode: Inode) {
    this.inode = inode;
    // One more name for a file is opened without emptying it: what is not written over stays.
    this.#before = inode.data;
  }

  write(chunk: Uint8Array, summed: boolean): void {
    if (chunk.length === 0) return;
    if (summed) this.sum = addChecksum(this.sum, chunk);
    this.#written.push(chunk);
    this.position += chunk.length;
  }

  close(): void {
    if (this.position > 0) this.inode.data = [...this.#written, ...dropBytes(this.#before, this.position)];
  }
}
