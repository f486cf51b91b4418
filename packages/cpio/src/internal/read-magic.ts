import { CpioError } from "../cpio-error.ts";
import type { CpioFormat } from "../entry.ts";
import { IDENTIFY_BYTES, identifyFormat, type KnownFormat } from "../identify.ts";
import type { ByteQueue } from "./byte-queue.ts";
import { MAGIC_SIZE, toText } from "./layout.ts";
import { formatOfMagic } from "./read-header.ts";

const COMPRESSED = "Decompress the input from this byte on, and read the result as a further archive";
const CPIO_VARIANT = 'Convert it with "cpio -i" and "cpio -o -H newc"';
const KERNEL = "This is a kernel; pass the file of its initramfs";

const KNOWN: Readonly<Record<Exclude<KnownFormat, "newc" | "crc">, readonly [what: string, hint: string]>> = {
  odc: ["a cpio archive in the old portable format (odc, 070707)", CPIO_VARIANT],
  binary: ["a cpio archive in the old binary format", CPIO_VARIANT],
  tar: ["a tar archive", "Read it with a tar library"],
  gzip: ["compressed by gzip", COMPRESSED],
  bzip2: ["compressed by bzip2", COMPRESSED],
  xz: ["compressed by xz", COMPRESSED],
  lzma: ["compressed by lzma", COMPRESSED],
  lzo: ["compressed by lzop", COMPRESSED],
  lz4: ["compressed by lz4", COMPRESSED],
  "lz4-frame": [
    "an lz4 frame",
    `${COMPRESSED}. The kernel does not take this form of lz4: compress with "lz4 -l"`,
  ],
  zstd: ["compressed by zstd", COMPRESSED],
  zip: ["a zip archive", "Unpack it first"],
  ar: ["an ar archive or Debian package", "Unpack it first"],
  rpm: ["an RPM package", "Its payload is the compressed cpio archive after the headers"],
  elf: ["an ELF file", "Pass a cpio archive"],
  pe: ["a PE executable", "A unified kernel image holds its initramfs in the section .initrd"],
  bzimage: ["a Linux kernel (bzImage)", KERNEL],
  "arm64-image": ["a Linux kernel (arm64 Image)", KERNEL],
  squashfs: ["a squashfs file system", "Pass a cpio archive"],
};

/**
 * Looks at the magic of the next header without taking it, and tells what else the bytes could be; undefined if more
 * bytes are to come.
 */
export function readMagic(queue: ByteQueue, offset: number): CpioFormat | undefined {
  if (queue.available < MAGIC_SIZE && !queue.ended) return undefined;
  const magic = queue.peek(MAGIC_SIZE);
  const format = formatOfMagic(magic);
  if (format !== undefined) return format;
  const text = toText(magic);
  if (magic.length < MAGIC_SIZE && ("070701".startsWith(text) || "070702".startsWith(text))) {
    throw new CpioError("CPIO_TRUNCATED", `The input ends inside the header that starts at byte ${offset}`, {
      offset,
    });
  }
  if (queue.available < IDENTIFY_BYTES && !queue.ended) return undefined;
  const known = identifyFormat(queue.peek(IDENTIFY_BYTES));
  if (known === undefined || known === "newc" || known === "crc") {
    const hex = Array.from(magic, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw new CpioError(
      "CPIO_FOREIGN",
      `The bytes ${hex} at byte ${offset} are no cpio header (wanted 070701 or 070702)`,
      { offset },
    );
  }
  const [what, hint] = KNOWN[known];
  const where = offset === 0 ? "The input is" : `What follows at byte ${offset} is`;
  throw new CpioError("CPIO_FOREIGN", `${where} ${what}, not a newc cpio archive`, {
    offset,
    hint,
    format: known,
  });
}
