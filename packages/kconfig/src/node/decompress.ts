/** Formats that Node lacks, by the programs that every system has or can install. */
import { spawnSync } from "node:child_process";
import { KconfigError } from "../errors.ts";
import type { ForeignCompression } from "../ikconfig.ts";

const PROGRAMS: Readonly<Record<ForeignCompression, readonly [string, ...string[]]>> = {
  xz: ["xz", "--format=xz", "--single-stream", "-dc"],
  lzma: ["xz", "--format=lzma", "-dc"],
  bzip2: ["bzip2", "-dc"],
  lz4: ["lz4", "-dc"],
  lzo: ["lzop", "-dc"],
};

/**
 * Decompresses by the system's xz, bzip2, lz4 and lzop; for embeddedConfig(). What follows the compressed data makes
 * some of them fail at the end: what they wrote until then is the result.
 *
 * @throws KconfigError KCONFIG_HOST when the program is not installed.
 */
export function systemDecompress(format: ForeignCompression, bytes: Uint8Array): Uint8Array | undefined {
  const [program, ...args] = PROGRAMS[format];
  const { stdout, error } = spawnSync(program, args, {
    input: bytes,
    maxBuffer: 1 << 30,
    stdio: ["pipe", "pipe", "ignore"],
  });
  if ((error as NodeJS.ErrnoException)?.code === "ENOENT") {
    throw new KconfigError(
      "KCONFIG_HOST",
      `Something in the image is compressed by ${format}, and "${program}" is missing`,
      {
        hint: `Install the package that has the program "${program}"`,
      },
    );
  }
  return stdout.length === 0 ? undefined : stdout;
}
