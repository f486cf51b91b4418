import { UkiError } from "./errors.ts";
import { type Source, type UkiInput, withSource } from "./internal/source.ts";
import { type PeFile, readPeSource } from "./pe.ts";

/** What a kernel image says of itself. */
export interface KernelImage {
  readonly pe: PeFile;
  /** As `uname -r` will say; undefined where the image is compressed and only its loader can be read. */
  readonly version: string | undefined;
  /** Bytes of a command line that the kernel takes, if the image says so. */
  readonly maxCmdline: number | undefined;
}

/**
 * Reads a kernel that can be started by UEFI: an x86 bzImage, an `Image` of arm64 or riscv64, or a `vmlinuz.efi`.
 *
 * @throws UkiError `UKI_KERNEL_UNSUITABLE`
 * @example
 * ```ts no-run
 * import { readKernelImage } from "@justenough/uki";
 * console.log((await readKernelImage("/boot/vmlinuz")).version); // 6.1.0-56-cloud-amd64
 * ```
 */
export function readKernelImage(input: UkiInput): Promise<KernelImage> {
  return withSource(input, async (source) => {
    const pe = await readPeSource(source).catch((cause: unknown) => {
      if (!(cause instanceof UkiError) || cause.code.startsWith("UKI_FILE")) throw cause;
      throw new UkiError("UKI_KERNEL_UNSUITABLE", `UEFI cannot start ${source.name}: ${cause.message}`, {
        cause,
        hint: "Give a kernel with CONFIG_EFI_STUB; for arm64 and riscv64 the Image itself or vmlinuz.efi, not Image.gz",
      });
    });
    return { pe, ...((await readSetupHeader(source)) ?? (await readBanner(source))) };
  });
}

type Facts = Omit<KernelImage, "pe">;

/** An x86 kernel's own header (linux Documentation/arch/x86/boot.rst). */
async function readSetupHeader(source: Source): Promise<Facts | undefined> {
  if (source.size < 0x23c) return undefined;
  const header = Buffer.from(await source.read(0, 0x23c));
  if (header.toString("latin1", 0x202, 0x206) !== "HdrS") return undefined;
  const at = 0x200 + header.readUInt16LE(0x20e);
  const text = at < source.size ? await source.read(at, Math.min(128, source.size - at)) : Buffer.alloc(0);
  const maxCmdline = header.readUInt16LE(0x206) >= 0x206 ? header.readUInt32LE(0x238) : 0;
  return {
    version: at === 0x200 ? undefined : /^\d[\w.+~-]*/.exec(Buffer.from(text).toString("latin1"))?.[0],
    maxCmdline: maxCmdline === 0 ? undefined : maxCmdline,
  };
}

/** No image is read further than this for its version. */
const BANNER_WITHIN = 256 * 1024 * 1024;
const BANNER = "Linux version ";
const CHUNK = 1024 * 1024;

/** The banner that the kernel prints first (linux init/version.c), which an uncompressed image holds. */
async function readBanner(source: Source): Promise<Facts> {
  const end = Math.min(source.size, BANNER_WITHIN);
  for (let at = 0; at < end; at += CHUNK) {
    // Each piece reaches into the next, for a banner on the border.
    const piece = Buffer.from(await source.read(at, Math.min(CHUNK + 128, end - at)));
    for (let found = piece.indexOf(BANNER); found >= 0; found = piece.indexOf(BANNER, found + 1)) {
      const text = piece.toString("latin1", found + BANNER.length, found + 128);
      const version = /^(\d[\w.+~-]*) \(/.exec(text)?.[1];
      if (version !== undefined) return { version, maxCmdline: undefined };
    }
  }
  return { version: undefined, maxCmdline: undefined };
}
