import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { UkiError } from "./errors.ts";
import type { Uki } from "./prepare.ts";

/**
 * Writes an image to a file, which is there as a whole or not at all.
 *
 * @throws UkiError `UKI_FILE`, `UKI_FILE_CHANGED`, `UKI_ABORTED`
 * @example
 * ```ts no-run
 * import { prepareUki, writeUki } from "@justenough/uki";
 * await writeUki(await prepareUki({ kernel: "vmlinuz", cmdline: "quiet" }), "/boot/efi/EFI/Linux/quiet.efi");
 * ```
 */
export async function writeUki(
  uki: Uki,
  path: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  await writeWhole(uki.stream(), path, options.signal);
}

export async function writeWhole(
  bytes: AsyncIterable<Uint8Array>,
  path: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const part = `${path}.${randomBytes(6).toString("hex")}.part`;
  try {
    await pipeline(bytes, createWriteStream(part, { flags: "wx" }), signal === undefined ? {} : { signal });
    await rename(part, path);
  } catch (cause) {
    await rm(part, { force: true });
    if (signal?.aborted === true) {
      throw new UkiError("UKI_ABORTED", `Writing "${path}" was interrupted`, { cause });
    }
    if (cause instanceof UkiError) throw cause;
    throw new UkiError("UKI_FILE", `Cannot write "${path}": ${(cause as Error).message}`, { cause });
  }
}
