import { CpioError } from "../cpio-error.ts";
import type { CpioSource } from "../entry.ts";
import { addChecksum, assertBytes, quote } from "./layout.ts";
import type { Planned } from "./plan.ts";

/** Watches that a source keeps what the header, already written, says about it. */
export function createBodyCheck(
  planned: Planned,
  checksum: number | undefined,
): { add(chunk: Uint8Array): void; end(): void } {
  const { size } = planned.body as CpioSource;
  let seen = 0;
  let sum = 0;
  const mismatch = (message: string): CpioError =>
    new CpioError("CPIO_SIZE_MISMATCH", message, {
      hint: "The file changed while it was read: try again when nothing writes to it",
    });
  return {
    add(chunk) {
      assertBytes(chunk, `The source of ${quote(planned.name)}`);
      seen += chunk.length;
      if (seen > size) {
        throw mismatch(`The source of ${quote(planned.name)} gives more than the ${size} bytes it announced`);
      }
      if (checksum !== undefined) sum = addChecksum(sum, chunk);
    },
    end() {
      if (seen !== size) {
        throw mismatch(`The source of ${quote(planned.name)} gave ${seen} bytes, but had announced ${size}`);
      }
      if (checksum !== undefined && sum !== checksum) {
        throw mismatch(`The source of ${quote(planned.name)} gave other bytes when it was read again`);
      }
    },
  };
}
