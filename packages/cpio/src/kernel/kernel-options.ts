/** The compressions that Linux unpacks, as lib/decompress.c names them. */
export type KernelCompression = "gzip" | "bzip2" | "lzma" | "xz" | "lzo" | "lz4" | "zstd";

/** What a decompressor of the kernel made of one compressed member. */
export interface KernelDecompressed {
  /**
   * The output in the pieces in which the kernel's decompressor hands it on, unchanged afterwards. Where they are
   * cut matters: an entry that Linux skips is read wrongly when its header lies across two pieces.
   */
  readonly pieces: readonly Uint8Array[];
  /**
   * Bytes of the input that the member takes, as the decompressor reports them; what follows is read next. They may
   * be more than there are: that of gzip counts 8 bytes for a trailer at which it does not look.
   */
  readonly consumed: number;
  /** The kernel's message if the decompressor gives up; the pieces before still count. */
  readonly error?: string | undefined;
}

/**
 * Decompresses one member as the kernel would.
 *
 * @param format what the member's first two bytes say, after lib/decompress.c
 * @param bytes the image from the member's first byte to its end
 */
export type KernelDecompress = (format: KernelCompression, bytes: Uint8Array) => KernelDecompressed;

/** Which kernel unpacks, and how it is configured. */
export interface UnpackAsKernelOptions {
  /**
   * The version whose rules apply, `"6.1"` or later, as `uname -r` gives it: `"6.12.117+deb12-cloud-amd64"` will
   * do. They differ in whether header digits must be hexadecimal (from 7.2) and in messages (from 6.15).
   */
  readonly kernel: string;
  /** Decompresses members. Without it the reading ends at the first one, and `complete` is false. */
  readonly decompress?: KernelDecompress | undefined;
  /** The compressions that are configured (CONFIG_RD_GZIP and its like). Default: all. */
  readonly configured?: readonly KernelCompression[] | undefined;
  /**
   * The archive that is built into the kernel and unpacked first. Default: that of usr/default_cpio_list, which
   * has /dev, /dev/console and /root.
   */
  readonly base?: Uint8Array | undefined;
  /**
   * The file system of the root. Linux takes `tmpfs` (the default here) unless there is a `root=` or a
   * `rootfstype=` that says otherwise, or it has no CONFIG_TMPFS. The root's mode depends on it, and before 7.0
   * what becomes of a symlink's target of 4096 bytes.
   */
  readonly rootfs?: "tmpfs" | "ramfs" | undefined;
  /** CONFIG_INITRAMFS_PRESERVE_MTIME: the entries' times are kept. Default: false, as in the kernel. */
  readonly keepTimes?: boolean | undefined;
  /** At most so many diagnostics are kept, the rest is counted. Default 1000. */
  readonly maxDiagnostics?: number | undefined;
}
