import { explainRole, throwProblems } from "../closure.ts";
import { readFacet } from "../facets.ts";
import type { ContentSpec } from "../spec.ts";
import type { FileTree, TreeNode } from "../tree.ts";
import type { ClosureFile } from "./closure-file.ts";
import type { HostView } from "./host-view.ts";
import { comparePaths } from "./paths.ts";
import type { createResolver } from "./program-closure.ts";
import { addLinks, addSysrootFile, type HiddenLinks } from "./sysroot-file.ts";
import { resolve, type Resolved } from "./view.ts";

/**
 * Adds what no ELF file says. Whatever is at one of its places already is the user's, and better; libraries alone
 * replace those of a layer, because they belong together.
 */
export function addFacets(
  tree: FileTree,
  view: HostView,
  spec: ContentSpec,
  resolver: ReturnType<typeof createResolver>,
): { readonly objects: readonly string[]; readonly files: readonly ClosureFile[] } {
  const objects: string[] = [];
  const closures: ClosureFile[] = [];
  const hidden: HiddenLinks = new Map();
  const copy = (resolved: Resolved, path: string, why: string, replaces = false): void => {
    addLinks(tree, resolved, path, hidden);
    const free = tree.get(resolved.path) === undefined || (replaces && tree.isFromLayer(resolved.path));
    if (free) addSysrootFile(tree, view, resolved.path, resolved, why, hidden);
  };
  const make = (path: string, node: TreeNode): void => {
    if (tree.get(path) === undefined) tree.add(path, node);
  };
  for (const name of [...new Set(spec.facets)].sort()) {
    const facet = readFacet(view, name, spec);
    const why = `facet ${name}`;
    for (const path of [...(facet.objects ?? [])].sort(comparePaths)) {
      const { files, problems } = resolver(path);
      throwProblems(problems);
      for (const file of files) {
        copy(file.resolved, file.path, file.role === "program" ? why : explainRole(file, path), true);
      }
      closures.push(...files);
      objects.push(path);
    }
    for (const path of [...facet.files].sort(comparePaths)) {
      const resolved = resolve(view, path);
      if (resolved !== undefined) copy(resolved, path, why);
    }
    for (const [path, text] of Object.entries(facet.texts ?? {})) {
      const content = { kind: "bytes", bytes: new TextEncoder().encode(text) } as const;
      make(path, { kind: "file", mode: 0o644, content, why });
    }
    for (const [path, to] of Object.entries(facet.links ?? {})) make(path, { kind: "link", to, why });
  }
  return { objects, files: closures };
}
