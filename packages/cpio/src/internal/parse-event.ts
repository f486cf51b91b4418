import { CpioError } from "../cpio-error.ts";
import type { CpioHeader } from "../entry.ts";

/** What the parser says: it needs more bytes or none of the next ones, it found something, or an entry is complete. */
export type ParseEvent =
  | { readonly kind: "more" }
  | { readonly kind: "entry"; readonly entry: CpioHeader }
  | { readonly kind: "data"; readonly chunk: Uint8Array }
  /** Only where data are passed over: so many bytes beyond those that are there. */
  | { readonly kind: "skip"; readonly length: number; readonly entry: CpioHeader }
  | { readonly kind: "end" };

export const MORE: ParseEvent = { kind: "more" };
export const END: ParseEvent = { kind: "end" };

export function truncated(end: number, offset: number, what: string): CpioError {
  const message = `The input ends at byte ${end}, inside ${what} that starts at byte ${offset}`;
  return new CpioError("CPIO_TRUNCATED", message, { offset });
}
