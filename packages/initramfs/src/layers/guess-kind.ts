import { statSync, type Stats } from "node:fs";
import { join } from "node:path";

import { IDENTIFY_BYTES, identifyFormat } from "@justenough/cpio";

import { InitramfsError } from "../error.ts";
import { readInitramfs } from "../image/entries.ts";
import { createBudget } from "./budget.ts";
import { fileSource } from "./byte-source.ts";
import { openImageStore } from "./image-store.ts";
import type { LayerSpec } from "./layer-spec.ts";

/**
 * What kind of layer a file or directory is, from what is in it: an image layout, a Debian package, a tar with
 * or without an image in it, an initramfs, or a list, of which the first word tells.
 *
 * @throws {InitramfsError} if it is nothing of that
 *
 * @example
 * ```ts
 * import { guessLayerKind } from "@justenough/initramfs";
 * console.log(await guessLayerKind("/etc")); // directory
 * ```
 */
export async function guessLayerKind(source: string): Promise<LayerSpec["kind"]> {
  const stats = look(source);
  if (stats?.isDirectory() === true)
    return look(join(source, "index.json"))?.isFile() === true ? "oci" : "directory";
  const head = fileSource(source).read(0, IDENTIFY_BYTES);
  const format = identifyFormat(head);
  if (format === "ar") return "deb";
  if (["newc", "crc", "lz4", "lzo"].includes(format ?? "")) return "initramfs";
  if (
    format === undefined &&
    /^(?:#|(?:file|dir|nod|slink|pipe|sock)[ \t]|[ \t]*\n)/.test(Buffer.from(head).toString())
  ) {
    return "list";
  }
  if (format !== undefined && !["tar", "gzip", "zstd", "xz", "bzip2", "lzma"].includes(format)) {
    throw new InitramfsError("INITRAMFS_FORMAT", `"${source}" is no layer: it is in the format ${format}`, {
      hint: "A layer is a tar, a container image, an initramfs, a Debian package, a list for gen_init_cpio, or a directory",
    });
  }
  const context = { arch: "x86_64", budget: createBudget(), keepTimes: false } as const;
  try {
    const store = await openImageStore(source, context);
    const isImage = store.file("index.json") !== undefined || store.file("manifest.json") !== undefined;
    return isImage ? "oci" : "tar";
  } catch (error) {
    if (isInitramfs(source)) return "initramfs";
    throw error;
  }
}

function isInitramfs(path: string): boolean {
  try {
    return readInitramfs(path).next().done !== true;
  } catch {
    return false;
  }
}

function look(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}
