import { checkInitramfs } from "./check.ts";
import { collect } from "./collect.ts";
import type { Compression } from "./compression.ts";
import type { InitramfsContext } from "./context.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { InitramfsError } from "./error.ts";
import type { LayerInfo } from "./layers/layer.ts";
import type { ContentSpec } from "./spec.ts";
import { contentSize, type FileTree, type TreeNode } from "./tree.ts";
import { writeInitramfs, type WrittenArchive } from "./write.ts";

export interface BuildInitramfsOptions extends ContentSpec, InitramfsContext {
  /** What the kernel must be able to unpack (CONFIG_RD_GZIP, CONFIG_RD_ZSTD and so on). */
  readonly compression: Compression;
  /** Path of the file to be written. */
  readonly output: string;
}

/** A file of the image, for lists and reports. */
export interface ImageEntry {
  readonly path: string;
  readonly type: TreeNode["kind"];
  /** Bytes of data. */
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  /** What it is there for, in words. */
  readonly why: string;
  /** Where a link points. */
  readonly to?: string | undefined;
  /** Owner and group where they are not 0. */
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** For one more name of a file: its first name. */
  readonly hardLinkTo?: string | undefined;
}

export interface BuiltInitramfs extends WrittenArchive {
  /** In the order of the archive. */
  readonly entries: readonly ImageEntry[];
  readonly diagnostics: readonly Diagnostic[];
  /** What is known of the layers that it starts from, in their order. */
  readonly layers: readonly LayerInfo[];
}

/**
 * Builds an image: collects, checks, writes. The same inputs give the same bytes, whatever the order of the
 * lists. Nothing that is collected is executed.
 *
 * @throws {InitramfsError} before anything is written if something is missing, contradictory, or would not run
 *
 * @example
 * ```ts
 * import { mkdtempSync, rmSync } from "node:fs";
 * import { buildInitramfs } from "@justenough/initramfs";
 * const directory = mkdtempSync("/tmp/image-");
 * const image = await buildInitramfs({
 *   programs: [{ source: "uname" }],
 *   init: { kind: "generated", args: ["uname", "-a"] },
 *   compression: "gzip",
 *   output: `${directory}/initramfs.gz`,
 *   arch: "x86_64",
 * });
 * console.log(image.size, image.sha256);
 * rmSync(directory, { recursive: true });
 * ```
 */
export async function buildInitramfs(options: BuildInitramfsOptions): Promise<BuiltInitramfs> {
  const tree = await collect(options, options);
  const diagnostics = checkInitramfs(tree);
  const error = diagnostics.find(({ severity }) => severity === "error");
  if (error !== undefined) {
    throw new InitramfsError("INITRAMFS_UNRESOLVED", error.message, { hint: error.hint });
  }
  const written = await writeInitramfs(tree, options);
  return { ...written, entries: listTree(tree), diagnostics, layers: tree.layers };
}

/** The files of a tree with size, mode and reason. */
export function listTree(tree: FileTree): ImageEntry[] {
  const firstNames = new Map<number, string>();
  return tree.entries().map(([path, node]) => {
    const { kind: type, why, uid = 0, gid = 0, inode } = node;
    const hardLinkTo = inode === undefined ? undefined : firstNames.get(inode);
    if (inode !== undefined && hardLinkTo === undefined) firstNames.set(inode, path);
    const rest = {
      why,
      ...(uid === 0 ? {} : { uid }),
      ...(gid === 0 ? {} : { gid }),
      ...(hardLinkTo === undefined ? {} : { hardLinkTo }),
    };
    if (node.kind === "link") return { path, type, size: 0, mode: 0o777, to: node.to, ...rest };
    const size = node.kind === "file" ? contentSize(node.content) : 0;
    return { path, type, size, mode: node.mode, ...rest };
  });
}
