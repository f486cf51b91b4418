import { type KernelInode, type KernelTree, listKernelTree } from "@justenough/cpio";

/** How one path differs between two images. */
export interface ImageDifference {
  readonly path: string;
  readonly kind: "added" | "removed" | "changed";
  /** For `changed`: what differs, in words, such as `mode 0644 -> 0755`. */
  readonly details: readonly string[];
  readonly sizeBefore: number;
  readonly sizeAfter: number;
}

/**
 * Compares what the kernel would unpack of two images: type, mode, owner, content, target, device. How they are
 * packed makes no difference.
 *
 * @example
 * ```ts no-run
 * import { diffImages, readImage } from "@justenough/initramfs";
 * const differences = diffImages(readImage("old.img").tree, readImage("new.img").tree);
 * for (const { kind, path, details } of differences) console.log(kind, path, details.join(", "));
 * ```
 */
export function diffImages(before: KernelTree, after: KernelTree): ImageDifference[] {
  const old = inodesByPath(before);
  const now = inodesByPath(after);
  const paths = [...new Set([...old.keys(), ...now.keys()])].sort();
  return paths.flatMap((key): ImageDifference[] => {
    const [a, b] = [old.get(key), now.get(key)];
    const path = `/${(a ?? b)?.path ?? ""}`;
    const sizes = { sizeBefore: a?.inode.size ?? 0, sizeAfter: b?.inode.size ?? 0 };
    if (a === undefined) return [{ path, kind: "added", details: [], ...sizes }];
    if (b === undefined) return [{ path, kind: "removed", details: [], ...sizes }];
    const details = compare(a.inode, b.inode);
    return details.length === 0 ? [] : [{ path, kind: "changed", details, ...sizes }];
  });
}

/** By the bytes of the path. */
function inodesByPath(tree: KernelTree): Map<string, { readonly path: string; readonly inode: KernelInode }> {
  const found = new Map<string, { path: string; inode: KernelInode }>();
  for (const { path, pathBytes, inode } of listKernelTree(tree)) {
    found.set(Buffer.from(pathBytes).toString("latin1"), { path, inode });
  }
  return found;
}

function compare(a: KernelInode, b: KernelInode): string[] {
  if (a.type !== b.type) return [`${a.type} -> ${b.type}`];
  const details: string[] = [];
  const differ = (what: string, x: string, y: string): void => {
    if (x !== y) details.push(`${what} ${x} -> ${y}`);
  };
  differ("mode", mode(a), mode(b));
  differ("owner", `${a.uid}:${a.gid}`, `${b.uid}:${b.gid}`);
  differ("target", a.target ?? "", b.target ?? "");
  differ("device", device(a), device(b));
  if (a.type === "file") {
    if (a.size !== b.size) details.push(`size ${a.size} -> ${b.size}`);
    else if (!sameData(a.data, b.data)) details.push("content");
    differ("names", String(a.nlink), String(b.nlink));
  }
  return details;
}

function mode(inode: KernelInode): string {
  return (inode.mode & 0o7777).toString(8).padStart(4, "0");
}

function device({ rdev }: KernelInode): string {
  return rdev === undefined ? "" : `${rdev.major}:${rdev.minor}`;
}

/** Of equal sizes; the pieces may be cut at other places. */
function sameData(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  const [x, y] = [Buffer.concat(a), Buffer.concat(b)];
  return x.equals(y);
}
