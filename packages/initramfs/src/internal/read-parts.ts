import { closeSync, openSync, readSync } from "node:fs";

import type { FileContent } from "../tree.ts";
import { readError } from "./host-view.ts";
import { encodeName } from "./names.ts";

export const PART = 1 << 20;

/** The bytes of a file on this machine, in parts for which `buffer` gives the room: new, or the same again. */
export function* readParts(
  { path, size, offset }: Extract<FileContent, { kind: "host" }>,
  buffer: (size: number) => Uint8Array,
): Generator<Uint8Array, void, undefined> {
  let fd: number | undefined;
  try {
    fd = openSync(encodeName(path), "r");
    // One byte more than promised is asked for, so that a file that has grown is noticed too.
    const wanted = offset === undefined ? size + 1 : size;
    for (let done = 0; done < wanted;) {
      const room = buffer(Math.min(PART, wanted - done));
      const got = readSync(fd, room, 0, room.length, (offset ?? 0) + done);
      if (got === 0) break;
      done += got;
      yield room.subarray(0, got);
      // The end was seen, there is no need to ask for it.
      if (done === size && got < room.length) break;
    }
  } catch (error) {
    throw readError(path, error);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
