import type { FileTree } from "../tree.ts";
import type { HostView } from "./host-view.ts";
import { copiedMode } from "./modes.ts";
import { dirname, imagePath, join } from "./paths.ts";
import type { Resolved } from "./view.ts";

/**
 * Links such as `/lib -> usr/lib` that cannot be where a layer has a real directory, with where they lead: what is
 * found through them needs a link of its own in there.
 */
export type HiddenLinks = Map<string, string>;

/** Adds the links that were passed on the way to a file of the sysroot. */
export function addLinks(tree: FileTree, { links }: Resolved, path: string, hidden: HiddenLinks): void {
  for (const link of links) {
    if (tree.isFromLayer(link.path) && tree.get(link.path)?.kind === "directory") {
      hidden.set(link.path, imagePath(link.to.startsWith("/") ? link.to : join(dirname(link.path), link.to)));
    } else {
      tree.add(link.path, { kind: "link", to: link.to, why: `on the way to ${path}` });
    }
  }
}

export function addSysrootFile(
  tree: FileTree,
  view: HostView,
  path: string,
  file: Resolved,
  why: string,
  hidden: HiddenLinks,
): void {
  if (file.node.kind !== "file") return;
  const content = { kind: "host", path: view.hostPath(file.path), size: file.node.size } as const;
  tree.add(path, { kind: "file", mode: copiedMode(file.node.mode), content, why });
  for (const [link, to] of hidden) {
    if (path.startsWith(`${to}/`)) tree.add(link + path.slice(to.length), { kind: "link", to: path, why });
  }
}
