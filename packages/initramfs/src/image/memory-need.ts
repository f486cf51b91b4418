import { type KernelInode, type KernelTree, listKernelTree } from "@justenough/cpio";

const PAGE = 4096;
/** mm/shmem.c keeps the target of a shorter symlink beside its inode. */
const SHORT_SYMLINK = 128;
const MIB = 1 << 20;

/** The memory that a machine needs to hold an image. */
export interface MemoryNeed {
  /** Bytes of the files in the root file system, in whole pages. */
  readonly rootfs: number;
  /** Files, directories and nodes; hard links count once. */
  readonly inodes: number;
  /** With less memory than this some files are lost, however small the kernel is. */
  readonly least: number;
  /** With so much memory a distribution's kernel has room for all. */
  readonly enough: number;
}

/**
 * The rootfs is a tmpfs that takes half of the memory, and half a page of it per inode (shmem_default_max_blocks() and
 * shmem_default_max_inodes() of mm/shmem.c); what does not fit is dropped without a word. What the kernel takes for
 * itself, and the image as it was loaded, do not count as memory at that time.
 */
export function memoryNeed(tree: KernelTree, imageSize: number): MemoryNeed {
  const inodes = new Set<KernelInode>();
  let pages = 0;
  for (const { inode } of listKernelTree(tree)) {
    if (inodes.has(inode)) continue;
    inodes.add(inode);
    const isKept = inode.type === "file" || (inode.type === "symlink" && inode.size >= SHORT_SYMLINK);
    if (isKept) pages += Math.ceil(inode.size / PAGE);
  }
  const total = 2 * PAGE * Math.max(pages, inodes.size);
  return {
    rootfs: pages * PAGE,
    inodes: inodes.size,
    least: withReserve(total, imageSize, 4 * MIB),
    enough: withReserve(total, imageSize, 48 * MIB),
  };
}

/** A sixty-fourth of the memory goes into the kernel's records of its pages. */
function withReserve(total: number, imageSize: number, kernel: number): number {
  return Math.ceil(((total + imageSize + kernel) * 64) / 63 / MIB) * MIB;
}
