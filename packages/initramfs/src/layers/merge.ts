import { compareNames } from "../internal/names.ts";
import { type Directory, isDirectory, type Leaf, newDirectory, walk } from "./root.ts";

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

/** Told of a directory with something in it that gives way to what is none. */
type OnHidden = (path: string, by: Leaf) => void;

/** Lays `upper` over `lower`. The order in which either was filled makes no difference. */
export function merge(
  lower: Directory,
  upper: Directory,
  mode: MergeMode,
  onHidden: OnHidden = () => {},
): void {
  lower.node = upper.node ?? lower.node;
  mergeAt({ root: lower, mode, onHidden }, lower, upper, []);
}

interface Merge {
  readonly root: Directory;
  readonly mode: MergeMode;
  readonly onHidden: OnHidden;
}

function mergeAt(to: Merge, lower: Directory, upper: Directory, parts: readonly string[]): void {
  // OCI image-spec, layer.md, "Whiteouts": only for lower layers, and before the layer's own entries.
  if (upper.opaque) lower.children.clear();
  for (const name of upper.whiteouts) lower.children.delete(name);
  for (const [name, entry] of [...upper.children].sort(byKind)) {
    const at = [...parts, name];
    let below = lower.children.get(name);
    if (!isDirectory(entry)) {
      if (isDirectory(below) && below.children.size > 0) to.onHidden(`/${at.join("/")}`, entry);
      lower.children.set(name, entry);
      continue;
    }
    if (to.mode === "follow" && below !== undefined && !isDirectory(below) && below.node.kind === "link") {
      const target = walk(to.root, at)?.directory;
      if (target !== undefined) {
        mergeAt(to, target, entry, at);
        continue;
      }
    }
    if (!isDirectory(below)) {
      if (takesAwayOnly(entry)) continue;
      below = newDirectory();
      lower.children.set(name, below);
    }
    below.node = entry.node ?? below.node;
    mergeAt(to, below, entry, at);
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
