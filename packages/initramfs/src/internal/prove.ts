import { ARCHES } from "../arch.ts";
import { dlopenFrom } from "../closure.ts";
import { InitramfsError } from "../error.ts";
import type { ContentSpec } from "../spec.ts";
import type { FileTree } from "../tree.ts";
import type { ClosureFile, ClosureProblem } from "./closure-file.ts";
import { encodeLdSoCache } from "./ld-so-cache.ts";
import { createResolver } from "./program-closure.ts";

/**
 * Searches once more what the programs need, now in the image. On the machine some libraries were found through
 * its ld.so.cache; if the image needs that too, it gets a cache of its own.
 */
export function proveClosures(
  tree: FileTree,
  spec: ContentSpec,
  programs: readonly string[],
  libraries: readonly ClosureFile[],
): void {
  let problems = unresolved(tree, spec, programs);
  if (problems.some(({ kind }) => kind === "library") && tree.get("/etc/ld.so.cache") === undefined) {
    addCache(tree, spec, libraries);
    problems = unresolved(tree, spec, programs);
  }
  const [first] = problems;
  if (first === undefined) return;
  throw new InitramfsError("INITRAMFS_UNRESOLVED", `It would not run in the image: ${first.message}`, {
    hint:
      first.hint ??
      "A program that finds its libraries beside itself must keep its place: leave its target out",
  });
}

function unresolved(tree: FileTree, spec: ContentSpec, programs: readonly string[]): ClosureProblem[] {
  const { arch, searchPath } = spec;
  const resolver = createResolver(tree.view(), { arch, searchPath, dlopen: dlopenFrom(spec.dlopen) });
  return programs.flatMap((path) => resolver(path).problems);
}

function addCache(tree: FileTree, spec: ContentSpec, libraries: readonly ClosureFile[]): void {
  const flags = ARCHES[spec.arch].cacheFlags;
  const paths = new Map<string, string>();
  for (const { name, path, foundBy } of libraries) {
    if (name !== undefined && (foundBy === "cache" || foundBy === "configured")) paths.set(name, path);
  }
  if (paths.size === 0) return;
  const bytes = encodeLdSoCache([...paths].map(([name, path]) => ({ name, path, flags })));
  tree.add("/etc/ld.so.cache", {
    kind: "file",
    mode: 0o644,
    content: { kind: "bytes", bytes },
    why: `tells the loader where ${[...paths.keys()].sort().join(", ")} is`,
  });
}
