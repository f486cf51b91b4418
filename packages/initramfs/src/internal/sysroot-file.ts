import type { FileTree } from "../tree.ts";
import type { HostView } from "./host-view.ts";
import { copiedMode } from "./modes.ts";
import type { Resolved } from "./view.ts";

/** Adds the links that were passed on the way to a file of the sysroot. */
export function addLinks(tree: FileTree, { links }: Resolved, path: string): void {
  for (const link of links) {
    // A layer may have a real directory there; whether the program finds all it needs is proved later.
    if (tree.isFromLayer(link.path) && tree.get(link.path)?.kind === "directory") continue;
    tree.add(link.path, { kind: "link", to: link.to, why: `on the way to ${path}` });
  }
}

export function addSysrootFile(
  tree: FileTree,
  view: HostView,
  path: string,
  file: Resolved,
  why: string,
): void {
  if (file.node.kind !== "file") return;
  const content = { kind: "host", path: view.hostPath(file.path), size: file.node.size } as const;
  tree.add(path, { kind: "file", mode: copiedMode(file.node.mode), content, why });
}
