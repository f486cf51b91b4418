import { CpioError } from "./cpio-error.ts";

/** How an archive is read. */
export interface UnpackOptions {
  /**
   * Which rules apply to what is not quite right. `strict` (the default and so far the only mode): every
   * deviation from the format is an error, also those that Linux passes over in silence. For its own way of reading
   * there is `unpackAsKernel`.
   */
  readonly mode?: "strict" | undefined;
  /** Refuse an archive that ends without a trailer. Default false: the kernel's grammar makes it optional. */
  readonly requireTrailer?: boolean | undefined;
  /** At most so many entries. Default: no limit. */
  readonly maxEntries?: number | undefined;
  /** At most so many bytes of data in one entry. Default: no limit besides the format's 4 GiB. */
  readonly maxFileSize?: number | undefined;
  /** At most so many bytes of data in all entries together. Default: no limit. */
  readonly maxTotalSize?: number | undefined;
}

export interface ResolvedUnpackOptions {
  readonly requireTrailer: boolean;
  readonly maxEntries: number;
  readonly maxFileSize: number;
  readonly maxTotalSize: number;
}

export function resolveUnpackOptions(options: UnpackOptions): ResolvedUnpackOptions {
  if (options.mode !== undefined && options.mode !== "strict") {
    throw new CpioError(
      "CPIO_INVALID_INPUT",
      `Option "mode" is ${JSON.stringify(options.mode)}, wanted "strict"`,
    );
  }
  const limit = (name: "maxEntries" | "maxFileSize" | "maxTotalSize"): number => {
    const value = options[name] ?? Infinity;
    if (typeof value === "number" && value >= 0) return value;
    throw new CpioError("CPIO_INVALID_INPUT", `Option "${name}" is ${value}, wanted a number from 0 up`);
  };
  return {
    requireTrailer: options.requireTrailer ?? false,
    maxEntries: limit("maxEntries"),
    maxFileSize: limit("maxFileSize"),
    maxTotalSize: limit("maxTotalSize"),
  };
}
