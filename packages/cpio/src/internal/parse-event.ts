import { CpioError } from "../cpio-error.ts";
import type { CpioHeader } from "../entry.ts";
import type { ByteQueue } from "./byte-queue.ts";

/** What the parser says: it needs more bytes, it found something, or an entry is complete. */
export type ParseEvent =
  | { readonly kind: "more" }
  | { readonly kind: "entry"; readonly entry: CpioHeader }
  | { readonly kind: "data"; readonly chunk: Uint8Array }
  | { readonly kind: "end" };

export const MORE: ParseEvent = { kind: "more" };
export const END: ParseEvent = { kind: "end" };

/** Waits until `length` bytes are there. */
export function* need(
  queue: ByteQueue,
  length: number,
  offset: number,
  what: string,
): Generator<ParseEvent, void> {
  while (queue.available < length) {
    if (queue.ended) {
      throw new CpioError(
        "CPIO_TRUNCATED",
        `The input ends at byte ${queue.position + queue.available}, inside ${what} that starts at byte ${offset}`,
        { offset },
      );
    }
    yield MORE;
  }
}

/** Waits for `length` bytes or the end of the input. */
export function* wish(queue: ByteQueue, length: number): Generator<ParseEvent, void> {
  while (queue.available < length && !queue.ended) yield MORE;
}
