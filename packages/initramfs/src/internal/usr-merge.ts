import type { FileTree } from "../tree.ts";
import { imagePath } from "./paths.ts";
import type { FileView } from "./view.ts";

const MERGED = new Set(["bin", "sbin", "lib", "lib32", "lib64", "libx32"]);

/**
 * Reproduces the sysroot's `/bin -> usr/bin` and the like before something is put below `/bin`. Otherwise it
 * would depend on what else is in the image whether `/bin` is a link or a directory there.
 */
export function addUsrMerge(tree: FileTree, view: FileView, path: string): void {
  const first = path.split("/")[1] as string;
  const to = mergedTo(view, first);
  if (to !== undefined) addLink(tree, first, to);
}

/** The same for all directories that have something in them: scripts say `#!/bin/sh` wherever `sh` was found. */
export function addFilledUsrMerge(tree: FileTree, view: FileView): void {
  for (const name of MERGED) {
    const to = mergedTo(view, name);
    if (to !== undefined && tree.get(imagePath(`/${to}`))?.kind === "directory") addLink(tree, name, to);
  }
}

function mergedTo(view: FileView, name: string): string | undefined {
  const node = MERGED.has(name) ? view.lookup(`/${name}`) : undefined;
  return node?.kind === "link" && /^\/?usr\//.test(node.to) ? node.to : undefined;
}

function addLink(tree: FileTree, name: string, to: string): void {
  if (tree.get(`/${name}`) !== undefined) return;
  tree.add(`/${name}`, { kind: "link", to, why: "the system merges it into /usr" });
}
