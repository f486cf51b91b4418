import { join } from "node:path";
import { kernelCacheDir } from "../context.ts";
import type { KernelContext } from "../context.ts";
import type { ResolvedSource } from "../source.ts";
import { applyPatch, copyTree } from "./apply-patch.ts";
import { patchesId, readPatches } from "./patches.ts";

/** A source with patches on top, in a tree of its own. `fetchBase` brings the tree beneath. */
export async function patchedSource(
  base: ResolvedSource,
  paths: readonly string[],
  fetchBase: (context: KernelContext) => Promise<string>,
  context: KernelContext,
): Promise<ResolvedSource> {
  const patches = await readPatches(paths, context);
  const id = `${base.id}+${patchesId(patches)}`;
  return {
    id,
    provenance: { ...base.provenance, patches: patches.map(({ name }) => name) },
    tree: join(kernelCacheDir(context), "sources", id),
    unpack: async (directory, unpackContext) => {
      await copyTree(await fetchBase(unpackContext), directory, base.unpack !== undefined, unpackContext);
      for (const [index, patch] of patches.entries()) {
        const { name: message } = patch;
        const [done, total] = [index + 1, patches.length];
        unpackContext.onProgress?.({ phase: "unpack", done, total, unit: "steps", message });
        await applyPatch(patch, directory, unpackContext);
      }
    },
  };
}
