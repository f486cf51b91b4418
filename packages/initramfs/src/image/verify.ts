import { readFileSync } from "node:fs";

import { indexCpio, type KernelDiagnosticCode } from "@justenough/cpio";

import type { Arch } from "../arch.ts";
import type { KernelCompression } from "../decompress/kernel-decompress.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { checkRoot } from "../internal/check-root.ts";
import { parseShebang, SHEBANG_BYTES } from "../internal/shebang.ts";
import { type FileView, resolveFile } from "../internal/view.ts";
import { type KernelConfig, parseKernelConfig, RD_OPTIONS } from "./kernel-config.ts";
import { kernelView } from "./kernel-view.ts";
import { type MemoryNeed, memoryNeed } from "./memory-need.ts";
import { readImage, type UnpackedImage } from "./read-image.ts";

export interface VerifyOptions {
  /** The text of the kernel's .config. Without it a kernel is assumed that has all that images need. */
  readonly config?: string | undefined;
  /** Its version, default that of the configuration, else 6.12. */
  readonly kernel?: string | undefined;
  /** The machine, default that of the configuration; without either each program may be for its own. */
  readonly arch?: Arch | undefined;
  /** The memory of the machine that is to boot it, in bytes. */
  readonly memory?: number | undefined;
}

export interface VerifiedImage {
  /** What would go wrong; an `error` is what the image cannot boot with. */
  readonly diagnostics: readonly Diagnostic[];
  readonly memory: MemoryNeed;
}

/**
 * Tells whether an image will boot before it is booted, whoever made it: unpacks it in memory as the kernel would, and
 * then looks at what came out as the kernel and the dynamic loader will. Nothing of it is executed.
 *
 * @throws {InitramfsError} if the file cannot be read, or the configuration is none; never for what is in the image
 *
 * @example
 * ```ts no-run
 * import { readFileSync } from "node:fs";
 * import { verifyImage } from "@justenough/initramfs";
 * const config = readFileSync("/boot/config-6.12.117", "utf8");
 * for (const { severity, message } of verifyImage("image.xz", { config, memory: 256 * 2 ** 20 }).diagnostics) {
 *   console.log(severity, message); // error The kernel gives up: …
 * }
 * ```
 */
export function verifyImage(path: string, options: VerifyOptions = {}): VerifiedImage {
  const config = options.config === undefined ? undefined : parseKernelConfig(options.config);
  const arch = options.arch ?? config?.arch;
  const image = readImage(path, {
    kernel: options.kernel ?? config?.kernel,
    arch,
    configured: config?.configured,
    tmpfs: config?.has("TMPFS"),
  });
  const view = kernelView(image.tree);
  const memory = memoryNeed(image.tree, image.size);
  const diagnostics = [
    ...unpacking(image),
    ...checkRoot(view, arch),
    ...(config === undefined ? [] : requirements(view, config)),
    ...earlyFiles(path, view),
    ...(options.memory === undefined || config?.has("TMPFS") === false ? [] : room(memory, options.memory)),
  ];
  return { diagnostics, memory };
}

function unpacking({ diagnostics, failure }: UnpackedImage): Diagnostic[] {
  return diagnostics.map(({ code, severity, message, location }) => {
    const { member, offset, name } = location;
    const where = member === undefined ? `byte ${offset}` : `byte ${offset} of the member at byte ${member}`;
    return {
      code: code.toLowerCase().replaceAll("_", "-"),
      severity,
      message: `${message} (at ${where})`,
      ...(name === undefined ? {} : { path: `/${name.replace(/^\/+/, "")}` }),
      hint: hintFor(code, failure?.message ?? ""),
    };
  });
}

const HINTS: Partial<Record<KernelDiagnosticCode, string>> = {
  KERNEL_NAME_SIZE: "Linux takes names of at most 4095 bytes; give it a shorter path",
  KERNEL_TARGET_SIZE: "Give the link a shorter target",
  KERNEL_UNEXPECTED_DATA: "The tool that wrote it is wrong: only files and symlinks have data",
  KERNEL_UNKNOWN_TYPE: "The tool that wrote it is wrong: the mode lacks its file type",
  KERNEL_DROPPED: "Put every directory before what is in it: sort the names before they are packed",
  KERNEL_WRONG_TARGET: "Give it a path at which no directory is",
  KERNEL_REPLACED: "If that was not meant, leave one of the two out",
  KERNEL_LOOSE_HEADER: "Write the archive with another tool: kernels since 7.2 refuse it",
  KERNEL_LOST: "Leave out the entry that Linux skips: its name or its target is too long",
  KERNEL_UNCERTAIN: "Boot it to see",
  KERNEL_LINK_FORGOTTEN: "Pack all names of a file into one archive",
  KERNEL_HANG: "The image was cut off: copy or build it again",
  KERNEL_TRUNCATED: "The image was cut off: copy or build it again",
};

/** How to mend it. */
function hintFor(code: KernelDiagnosticCode, failure: string): string | undefined {
  if (code !== "KERNEL_ABORT") return HINTS[code];
  const format = /^compression method (\w+) not configured$/.exec(failure)?.[1] as
    | KernelCompression
    | undefined;
  if (format !== undefined) {
    return `Set CONFIG_${RD_OPTIONS[format]}=y in the kernel, or compress the image in another way`;
  }
  if (failure === "broken padding" || failure.startsWith("invalid magic")) {
    return "Fill up with zeros to a multiple of 4 before each archive that is appended";
  }
  if (failure.startsWith("junk at the end")) return "Compress each archive as one whole, by a single thread";
  if (failure.includes("XZ") || failure.includes("Input was encoded with settings")) {
    return "Compress with xz --check=crc32, and no filter but x86 and LZMA2";
  }
  return "Build the image again";
}

/** What the kernel must have been built with for this root file system. */
function requirements(view: FileView, config: KernelConfig): Diagnostic[] {
  const missing = (option: string, message: string): Diagnostic[] =>
    config.has(option)
      ? []
      : [{ code: "kernel-option", severity: "error", message, hint: `Set CONFIG_${option}=y in the kernel` }];
  const init = resolveFile(view, "/init");
  const isScript = init !== undefined && parseShebang(view.read(init.path, 0, SHEBANG_BYTES)) !== undefined;
  return [
    ...missing("BLK_DEV_INITRD", "The kernel is built without initramfs support, and ignores the image"),
    ...missing("BINFMT_ELF", "The kernel is built without support for ELF programs, and starts none"),
    ...(isScript
      ? missing("BINFMT_SCRIPT", "/init is a script, and the kernel is built without support for them")
      : []),
  ];
}

const EARLY = /^\/kernel\/(?:x86\/microcode\/(?:GenuineIntel|AuthenticAMD)\.bin|firmware\/acpi\/[^/]+)$/;
const EARLY_PATHS = ["/kernel/x86/microcode", "/kernel/firmware/acpi"];

/** Microcode and ACPI tables are looked for in what stands first, uncompressed (lib/earlycpio.c). */
function earlyFiles(path: string, view: FileView): Diagnostic[] {
  const files = EARLY_PATHS.flatMap((directory) =>
    view.list(directory).map((name) => `${directory}/${name}`),
  ).filter((file) => EARLY.test(file));
  if (files.length === 0) return [];
  const bytes = readFileSync(path);
  const early = new Set<string>();
  try {
    const source = {
      size: bytes.length,
      read: (at: number, length: number) => bytes.subarray(at, at + length),
    };
    for (const { name } of indexCpio(source)) early.add(`/${name}`);
  } catch {
    // Whatever follows the plain archives ends the search, as in the kernel.
  }
  return files
    .filter((file) => !early.has(file))
    .map((file) => ({
      code: "early-file-late",
      severity: "warning",
      path: file,
      message: `The kernel does not find ${file} when it looks for it, before the image is unpacked`,
      hint: "Put it into an archive of its own, uncompressed, at the very start of the image",
    }));
}

function room({ rootfs, inodes, least, enough }: MemoryNeed, memory: number): Diagnostic[] {
  const mib = (bytes: number): string => `${Math.ceil(bytes / (1 << 20))} MiB`;
  if (memory >= enough) return [];
  const content = `its ${inodes} files take ${mib(rootfs)}, and the root file system takes half of the memory`;
  const isSure = memory < least;
  return [
    {
      code: "memory",
      severity: isSure ? "error" : "warning",
      message: `With ${mib(memory)} of memory the image ${isSure ? "does" : "may"} not fit: ${content}`,
      hint: `Give the machine ${mib(enough)}, or leave something out (see initramfs tree --size)`,
    },
  ];
}
