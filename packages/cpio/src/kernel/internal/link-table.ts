import { TYPE_MASK } from "../../internal/layout.ts";
import type { KernelHeader } from "./kernel-header.ts";

/**
 * The first names of files that have several. What counts is device, inode number and file type; a trailer empties
 * the table.
 */
export class LinkTable {
  #names = new Map<string, string>();
  #forgotten = new Set<string>();

  /** The first name of the file, or `undefined` if this is it; it is kept whether the file gets made or not. */
  find(
    header: KernelHeader,
    name: string,
  ): { readonly first: string | undefined; readonly forgotten: boolean } {
    const key = `${header.major}:${header.minor}:${header.ino}:${header.mode & TYPE_MASK}`;
    const first = this.#names.get(key);
    if (first === undefined) this.#names.set(key, name);
    return { first, forgotten: first === undefined && this.#forgotten.has(key) };
  }

  reset(): void {
    for (const key of this.#names.keys()) this.#forgotten.add(key);
    this.#names = new Map();
  }
}
