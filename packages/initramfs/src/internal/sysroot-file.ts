import type { FileTree } from "../tree.ts";
import type { HostView } from "./host-view.ts";
import { copiedMode } from "./modes.ts";
import { dirname, imagePath, join } from "./paths.ts";
import type { Resolved } from "./view.ts";

/**
 * Links such as `/lib -> usr/lib` that cannot be where a layer has a directory of its own, with where they lead: what is
 * found through them needs a link of its own in there.
 */
export type HiddenLinks = Map<string, string>;

/** Adds the links that were passed on the way to a file of the sysroot. */
export function addLinks(tree: FileTree, { links }: Resolved, path: string, hidden: HiddenLinks): void {
  for (const link of links) {
    if (layerKeeps(tree, link)) {
      hidden.set(link.path, imagePath(link.to.startsWith("/") ? link.to : join(dirname(link.path), link.to)));
    } else {
      tree.add(link.path, { kind: "link", to: link.to, why: `on the way to ${path}` });
    }
  }
}

/** Whether a layer has a directory of its own there, or a link to another one. */
function layerKeeps(tree: FileTree, { path, to }: { readonly path: string; readonly to: string }): boolean {
  const existing = tree.isFromLayer(path) ? tree.get(path) : undefined;
  if (existing?.kind !== "link") return existing?.kind === "directory";
  return existing.to !== to && tree.get(dirname(tree.place(join(path, "x"))))?.kind === "directory";
}

/** Adds a file of the sysroot, with links to it from the directories that took the place of links on the way. */
export function addSysrootFile(
  tree: FileTree,
  view: HostView,
  path: string,
  file: Resolved,
  why: string,
  hidden: HiddenLinks,
): void {
  if (file.node.kind === "file") {
    const content = { kind: "host", path: view.hostPath(file.path), size: file.node.size } as const;
    tree.add(path, { kind: "file", mode: copiedMode(file.node.mode), content, why });
  }
  for (const to of [path, ...file.links.map((link) => link.path)]) addDetours(tree, to, why, hidden);
}

function addDetours(tree: FileTree, to: string, why: string, hidden: ReadonlyMap<string, string>): void {
  for (const [link, directory] of hidden) {
    const from = link + to.slice(directory.length);
    if (!to.startsWith(`${directory}/`) || tree.place(from) === tree.place(to)) continue;
    tree.add(from, { kind: "link", to, why });
  }
}
