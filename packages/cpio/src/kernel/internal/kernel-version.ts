import { CpioError } from "../../cpio-error.ts";

/** What differs between versions of init/initramfs.c. */
export interface KernelTraits {
  /** From 7.2 header fields are read by hex2bin(), before by simple_strtoul(), which stops at what it can't read. */
  readonly strictDigits: boolean;
  /** From 6.15 names of hard links are forgotten at the end of an image too, not only at a trailer. */
  readonly forgetsAtEnd: boolean;
  /** Until 6.14 the message names the compression that is not configured; later only the log does. */
  readonly namesCompression: boolean;
  /** From 7.0 symlinks are made by what system calls use; before a target of 4096 bytes reaches the file system. */
  readonly checksTargets: boolean;
}

/** A series means its newest patch level: the check for names without NUL is in all that are maintained. */
export function traitsOf(kernel: unknown): KernelTraits {
  const match = typeof kernel === "string" ? /^(\d{1,3})\.(\d{1,3})(?:[.+-]|$)/.exec(kernel) : null;
  if (match === null) {
    throw new CpioError(
      "CPIO_INVALID_INPUT",
      `Option "kernel" is ${JSON.stringify(kernel)}, wanted a version such as "6.12"`,
    );
  }
  const version = Number(match[1]) * 1000 + Number(match[2]);
  if (version < 6001) {
    throw new CpioError(
      "CPIO_INVALID_INPUT",
      `Linux ${match[1]}.${match[2]} is too old, wanted 6.1 or later`,
      {
        hint: "The rules of older versions differ in more than is known here",
      },
    );
  }
  return {
    strictDigits: version >= 7002,
    forgetsAtEnd: version >= 6015,
    namesCompression: version < 6015,
    checksTargets: version >= 7000,
  };
}
