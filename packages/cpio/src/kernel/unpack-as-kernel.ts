import { CpioError } from "../cpio-error.ts";
import { encodeCpio } from "../encode.ts";
import { assertBytes } from "../internal/layout.ts";
import { EntryMaker } from "./internal/entry-maker.ts";
import { createFileSystem } from "./internal/file-system.ts";
import { Findings } from "./internal/findings.ts";
import type { Inode } from "./internal/inode.ts";
import { KERNEL_COMPRESSIONS } from "./internal/kernel-compression.ts";
import { traitsOf } from "./internal/kernel-version.ts";
import { Machine } from "./internal/machine.ts";
import { type ImageContext, unpackImage } from "./internal/unpack-image.ts";
import type { UnpackAsKernelOptions } from "./kernel-options.ts";
import type { KernelUnpackResult } from "./kernel-result.ts";

/** usr/default_cpio_list of the kernel. */
function defaultBase(): Uint8Array {
  return encodeCpio([
    { type: "directory", name: "/dev" },
    { type: "character", name: "/dev/console", rdev: { major: 5, minor: 1 } },
    { type: "directory", name: "/root", mode: 0o700 },
  ]);
}

/**
 * Does with an initramfs image what Linux does at boot (init/initramfs.c), and tells what came out: the file system
 * as the guest sees it, and all that the kernel drops, replaces or refuses, mostly without a word. Where
 * {@link unpackCpio} answers whether an archive is correct, this answers what a kernel makes of any bytes at all.
 *
 * The result holds views into `image`, which must not be changed while it is used. Limits of the machine are not
 * known here: a root file system that is full (tmpfs takes half of the memory) loses files too.
 *
 * @throws {CpioError} CPIO_INVALID_INPUT for a wrong option, never because of the image. Errors of the caller's
 * `decompress` pass unchanged.
 *
 * @example
 * ```ts
 * import { encodeCpio, unpackAsKernel } from "@justenough/cpio";
 * const image = encodeCpio([{ type: "file", name: "etc/motd", data: "Hello\n" }]); // no entry for etc
 * const { tree, diagnostics } = unpackAsKernel(image, { kernel: "6.12" });
 * console.log(tree.root.entries?.has("etc")); // false
 * console.log(diagnostics[0]?.message); // "etc/motd" is dropped (ENOENT): its directory is missing or comes later
 * ```
 */
export function unpackAsKernel(image: Uint8Array, options: UnpackAsKernelOptions): KernelUnpackResult {
  assertBytes(image, "The image");
  const traits = traitsOf(options?.kernel);
  const kind = options.rootfs ?? "tmpfs";
  if (kind !== "tmpfs" && kind !== "ramfs") throw wrong("rootfs", kind, '"tmpfs" or "ramfs"');
  const limit = options.maxDiagnostics ?? 1000;
  if (!(typeof limit === "number" && limit >= 0)) throw wrong("maxDiagnostics", limit, "a number from 0 up");
  const { decompress } = options;
  if (decompress !== undefined && typeof decompress !== "function") {
    throw wrong("decompress", decompress, "a function");
  }
  const base = options.base ?? defaultBase();
  assertBytes(base, 'Option "base"');
  const configured = new Set(options.configured ?? KERNEL_COMPRESSIONS);
  for (const format of configured) {
    if (!KERNEL_COMPRESSIONS.includes(format))
      throw wrong("configured", format, KERNEL_COMPRESSIONS.join(", "));
  }
  const fs = createFileSystem(kind, traits.checksTargets);
  const findings = new Findings(limit);
  const maker = new EntryMaker(fs, findings, options.keepTimes === true);
  const machine = new Machine(traits, maker, findings);
  const context: ImageContext = { traits, machine, maker, findings, decompress, configured };
  unpackImage(context, base);
  // When the kernel was built is not known here, so that times of what is built in are not either.
  forgetTimes(fs.root);
  findings.builtIn = false;
  findings.segment = 0;
  if (!findings.ended) unpackImage(context, image);
  return {
    tree: { root: fs.root },
    diagnostics: findings.diagnostics,
    omittedDiagnostics: findings.omitted,
    failure: findings.failure,
    complete: !findings.incomplete,
  };
}

function forgetTimes(root: Inode): void {
  const waiting: Inode[] = [root];
  for (let inode = waiting.pop(); inode !== undefined; inode = waiting.pop()) {
    inode.mtime = undefined;
    for (const child of inode.entries?.values() ?? []) waiting.push(child);
  }
}

function wrong(name: string, value: unknown, wanted: string): CpioError {
  return new CpioError("CPIO_INVALID_INPUT", `Option "${name}" is ${String(value)}, wanted ${wanted}`);
}
