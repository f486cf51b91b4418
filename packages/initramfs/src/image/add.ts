import { readFile, rm, writeFile } from "node:fs/promises";

import { collect } from "../collect.ts";
import type { Compression } from "../compression.ts";
import type { InitramfsContext } from "../context.ts";
import { InitramfsError } from "../error.ts";
import { replaceFile } from "../internal/replace-file.ts";
import { resolve } from "../internal/view.ts";
import type { ContentSpec } from "../spec.ts";
import { contentSize } from "../tree.ts";
import { type PlacedNodes, writeNodes } from "../write.ts";
import { readInitramfs } from "./entries.ts";
import { kernelView } from "./kernel-view.ts";
import { readImage } from "./read-image.ts";

export interface AddOptions extends Omit<ContentSpec, "init" | "layers">, InitramfsContext {
  /** The image to add to. */
  readonly image: string;
  /** Where the result goes, default in the image's place. */
  readonly output?: string | undefined;
  /** Of what is added. Default: as the last part of the image, so that the kernel knows it. */
  readonly compression?: Compression | undefined;
}

export interface AddedToImage {
  readonly path: string;
  /** Bytes of the whole file. */
  readonly size: number;
  /** Paths that are new or were replaced, parents included. */
  readonly added: readonly string[];
}

/**
 * Adds files to an image, whoever made it, as one more archive behind those that it has: nothing of it is unpacked or
 * compressed anew. What a program needs and the image already has is not added again. The result is read as the kernel
 * would before it takes its place.
 *
 * @throws {InitramfsError} as buildInitramfs() does; or if the image is damaged, or would hide what was added
 *
 * @example
 * ```ts no-run
 * import { addToImage } from "@justenough/initramfs";
 * const { added } = await addToImage({ image: "initrd.img", programs: [{ source: "strace" }], arch: "x86_64" });
 * console.log(added); // [ '/usr/bin/strace', … ]
 * ```
 */
export async function addToImage(options: AddOptions): Promise<AddedToImage> {
  const { image, output = image } = options;
  const layers = [{ kind: "initramfs", source: image }] as const;
  const tree = await collect({ ...options, layers, init: { kind: "layer" } }, options);
  const nodes = tree.entries().filter(([path]) => !tree.isAsInLayer(path));
  if (nodes.length === 0) {
    throw new InitramfsError("INITRAMFS_INVALID_OPTION", `There is nothing to add to "${image}"`, {
      hint: "Name programs, files, links or modules that it does not have",
    });
  }
  const compression = options.compression ?? lastCompression(image);
  const segment = `${output}.${process.pid}.segment.tmp`;
  try {
    await writeNodes(nodes, { ...options, output: segment, compression });
    const before = await readFile(image);
    const archive = await readFile(segment);
    // Archives start at a multiple of four, and behind lz4 there have to be four zeros (lib/decompress_unlz4.c).
    const padding = Buffer.alloc(8 - (before.length % 4));
    await replaceFile(output, async (temporary) => {
      await writeFile(temporary, Buffer.concat([before, padding, archive]), { flush: true });
      prove(temporary, nodes);
    });
    return {
      path: output,
      size: before.length + padding.length + archive.length,
      added: nodes.map(([path]) => path),
    };
  } finally {
    await rm(segment, { force: true });
  }
}

function lastCompression(image: string): Compression {
  let last: Compression = "none";
  for (const { member } of readInitramfs(image)) last = member?.format ?? "none";
  return last;
}

/** Reads the result as the kernel would, and looks for all that was added. */
function prove(path: string, nodes: PlacedNodes): void {
  const { tree, failure } = readImage(path);
  const view = kernelView(tree);
  const lost = nodes.find(([at, node]) => {
    const found = resolve(view, at);
    if (node.kind === "link") return view.lookup(at)?.kind !== "link" && found?.node.kind === undefined;
    if (node.kind === "file") {
      return found?.node.kind !== "file" || found.node.size !== contentSize(node.content);
    }
    return found === undefined;
  });
  if (failure === undefined && lost === undefined) return;
  throw new InitramfsError(
    "INITRAMFS_FORMAT",
    failure === undefined
      ? `The kernel would not have "${lost?.[0]}" in the image after it was added`
      : `The kernel would not take the image: ${failure.message}`,
    { hint: "See what initramfs verify says of the image as it was" },
  );
}
