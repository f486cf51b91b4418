import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { realpath, rename, rm, stat } from "node:fs/promises";
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
  const target = await realpath(path).catch(() => path);
  const part = `${target}.${randomBytes(6).toString("hex")}.part`;
  const abort = signal === undefined ? {} : { signal };
  try {
    // A file in place of a device would be the end of it.
    if (await isSpecial(target)) return await pipeline(bytes, createWriteStream(target), abort);
    // On the disk before it has its name: firmware's file systems would keep an empty file over a loss of power.
    await pipeline(bytes, createWriteStream(part, { flags: "wx", flush: true }), abort);
    await rename(part, target);
  } catch (cause) {
    await rm(part, { force: true });
    if (signal?.aborted === true) {
      throw new UkiError("UKI_ABORTED", `Writing "${path}" was interrupted`, { cause });
    }
    if (cause instanceof UkiError) throw cause;
    throw new UkiError("UKI_FILE", `Cannot write "${path}": ${(cause as Error).message}`, { cause });
  }
}

async function isSpecial(path: string): Promise<boolean> {
  const there = await stat(path).catch(() => undefined);
  return there !== undefined && !there.isFile() && !there.isDirectory();
}
