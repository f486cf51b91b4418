import type { Diagnostic } from "../diagnostic.ts";
import { compareNames } from "../internal/names.ts";
import type { FileTree, TreeNode } from "../tree.ts";
import { decodeCapabilities } from "./capabilities.ts";

const CAPABILITY = "security.capability";

/** What /init is told to set: each file once, whatever its names. */
export function capabilityRecords(tree: FileTree): string[] {
  const inodes = new Set<number>();
  const found: string[] = [];
  for (const [path, { xattrs, inode }] of tree.entries()) {
    const value = xattrs?.get(CAPABILITY);
    if (value === undefined || (inode !== undefined && inodes.has(inode))) continue;
    if (inode !== undefined) inodes.add(inode);
    if (decodeCapabilities(value) === undefined) continue;
    found.push(`${Buffer.from(value).toString("hex")}:${path}`);
  }
  return found;
}

/**
 * What an initramfs cannot hold: the newc format has no extended attributes. File capabilities may be `restored`
 * by the generated /init.
 */
export function lostAttributes(
  entries: readonly (readonly [path: string, node: TreeNode])[],
  restored: ReadonlySet<string>,
): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const others = new Map<string, string[]>();
  const inodes = new Set<number>();
  for (const [path, { xattrs, inode }] of entries) {
    if (inode !== undefined && restored.has(path)) inodes.add(inode);
    for (const [name, value] of xattrs ?? []) {
      if (name === CAPABILITY) {
        const isRestored = restored.has(path) || (inode !== undefined && inodes.has(inode));
        if (!isRestored) diagnostics.push(lostCapabilities(path, value));
      } else {
        const paths = others.get(name) ?? [];
        paths.push(path);
        others.set(name, paths);
      }
    }
  }
  for (const [name, paths] of [...others].sort(([a], [b]) => compareNames(a, b))) {
    const more = paths.length === 1 ? "" : ` and ${paths.length - 1} others`;
    diagnostics.push({
      code: "lost-xattr",
      severity: "note",
      path: paths[0],
      message: `The extended attribute "${name}" of ${paths[0]}${more} is lost: an initramfs has none`,
    });
  }
  return diagnostics;
}

function lostCapabilities(path: string, value: Uint8Array): Diagnostic {
  const names = decodeCapabilities(value)?.permitted.join(", ") ?? "in an unknown format";
  return {
    code: "lost-capabilities",
    severity: "warning",
    path,
    message: `The file capabilities of ${path} (${names}) are lost: an initramfs has none`,
    hint: "It works for root only; let the generated /init restore them, or set the setuid bit",
  };
}
