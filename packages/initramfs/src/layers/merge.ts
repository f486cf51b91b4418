import type { Leaf } from "./root.ts";
import { compareNames } from "../internal/names.ts";
import { type Directory, isDirectory, newDirectory, walk } from "./root.ts";

/**
 * What becomes of a directory where the layers below have a link to a directory.
 *
 * `replace`: between the layers of one image. The link gives way, as in overlayfs, where a directory hides
 * whatever is no directory. containers/storage unpacks a layer into the upper directory of an overlay, which is
 * empty at first (drivers/overlay, pkg/archive/diff.go): it cannot see the links below, replaces none but its own,
 * and makes real directories even of parents that the layer does not list. An image must be here what it is there.
 *
 * `follow`: between the entries of `layers`. The link stays, and what the directory holds lands where it
 * leads, as dpkg does it: a package with `/bin/x` must not take `/bin -> usr/bin` away from the system below.
 */
export type MergeMode = "replace" | "follow";

/** Lays `upper` over `lower`. The order in which either was filled makes no difference. */
export function merge(lower: Directory, upper: Directory, mode: MergeMode): void {
  mergeAt(lower, lower, upper, mode);
}

function mergeAt(
  root: Directory,
  lower: Directory,
  upper: Directory,
  mode: MergeMode,
  parts: readonly string[] = [],
): void {
  // OCI image-spec, layer.md, "Whiteouts": only for lower layers, and before the layer's own entries.
  if (upper.opaque) lower.children.clear();
  for (const name of upper.whiteouts) lower.children.delete(name);
  for (const [name, entry] of [...upper.children].sort(byKind)) {
    if (!isDirectory(entry)) {
      lower.children.set(name, entry);
      continue;
    }
    const at = [...parts, name];
    let below = lower.children.get(name);
    if (mode === "follow" && below !== undefined && !isDirectory(below) && below.node.kind === "link") {
      const target = walk(root, at)?.directory;
      if (target !== undefined) {
        mergeAt(root, target, entry, mode, at);
        continue;
      }
    }
    if (!isDirectory(below)) {
      if (takesAwayOnly(entry)) continue;
      below = newDirectory();
      lower.children.set(name, below);
    }
    below.node = entry.node ?? below.node;
    mergeAt(root, below, entry, mode, at);
  }
}

/** Files and links before directories, which may lead through them; then by name. */
function byKind([a, x]: [string, Directory | Leaf], [b, y]: [string, Directory | Leaf]): number {
  return Number(isDirectory(x)) - Number(isDirectory(y)) || compareNames(a, b);
}

/** A directory that the layer names only because something in it was deleted makes none where there is none. */
function takesAwayOnly(directory: Directory): boolean {
  return (
    directory.node === undefined &&
    [...directory.children.values()].every((child) => isDirectory(child) && takesAwayOnly(child))
  );
}
