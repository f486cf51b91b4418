import { InitramfsError } from "../error.ts";
import { quoteName } from "../internal/names.ts";
import type { LayerLimits } from "./layer-spec.ts";

/** What may still be read; one for all layers of an image. */
export interface Budget {
  readonly maxBytes: number;
  entry(archive: string): void;
  bytes(count: number, archive: string): void;
}

const GIB = 2 ** 30;

export function createBudget({ entries = 1_000_000, bytes = 2 * GIB }: LayerLimits = {}): Budget {
  let entriesLeft = entries;
  let bytesLeft = bytes;
  return {
    maxBytes: bytes,
    entry(archive) {
      if (--entriesLeft < 0) throw limitError(archive, `${entries} entries`, "entries");
    },
    bytes(count, archive) {
      bytesLeft -= count;
      if (bytesLeft < 0) throw limitError(archive, `${bytes} bytes`, "bytes");
    },
  };
}

export function limitError(archive: string, limit: string, option: keyof LayerLimits): InitramfsError {
  return new InitramfsError(
    "INITRAMFS_LIMIT",
    `Cannot take ${quoteName(archive)}: more than ${limit} would be read`,
    { hint: `If that is as it should be, raise "layerLimits.${option}"` },
  );
}
