import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { kernelCacheDir } from "../context.ts";
import type { KernelContext } from "../context.ts";
import { KernelError } from "../errors.ts";
import { applyPatch, copyTree } from "./apply-patch.ts";
import { download } from "./download.ts";
import type { PublishedSums } from "./kernel-org.ts";
import { notice } from "./notice.ts";
import { readPatches } from "./patches.ts";
import { tarballId } from "./source-tarball.ts";
import { isTree, treeVersion } from "./tree.ts";

/**
 * Makes a release's tree from another one of its series in the cache, with kernel.org's patch-X.Y.Z.xz, which leads
 * from X.Y to X.Y.Z: that of the other is taken back, that of the wanted one applied. They are in the signed list like
 * the tarballs, and a twentieth of the size. False when there is no such tree or a patch is not what it should be.
 */
export async function unpackByPatches(
  version: string,
  published: PublishedSums,
  directory: string,
  context: KernelContext,
): Promise<boolean> {
  const series = seriesOf(version);
  const from = await cachedRelease(series, published, context);
  if (from === undefined) return false;
  const steps = [
    { version: from.version, reverse: true },
    { version, reverse: false },
  ].filter((step) => step.version !== series);
  if (!steps.every((step) => published.patches.has(step.version))) return false;
  try {
    const patches = [];
    for (const step of steps) {
      patches.push({ ...(await releasePatch(step.version, published, context)), reverse: step.reverse });
    }
    await copyTree(from.tree, directory, true, context);
    for (const patch of patches) {
      context.onProgress?.({ phase: "unpack", done: 0, unit: "steps", message: patch.name });
      await applyPatch(patch, directory, context);
    }
    const reached = await treeVersion(directory);
    if (reached === (version === series ? `${version}.0` : version)) return true;
    throw new KernelError("KERNEL_SOURCE", `The patches lead to ${reached ?? "nowhere"}, not to ${version}`);
  } catch (error) {
    if (!(error instanceof KernelError) || error.code === "KERNEL_ABORTED") throw error;
    notice(`${error.message}; the whole ${version} is fetched instead of patches`, context);
    await rm(directory, { recursive: true });
    await mkdir(directory);
    return false;
  }
}

async function releasePatch(
  version: string,
  { base, patches }: PublishedSums,
  context: KernelContext,
): Promise<Awaited<ReturnType<typeof readPatches>>[number]> {
  const name = `patch-${version}.xz`;
  const sha256 = patches.get(version) ?? "";
  const path = join(kernelCacheDir(context), "downloads", `patch-${version}-${sha256.slice(0, 16)}.xz`);
  await download(`${base}/${name}`, path, sha256, context);
  const [patch] = await readPatches([path], context);
  // Only git's form has the modes of new files.
  if (patch !== undefined && Buffer.from(patch.bytes).subarray(0, 11).toString() === "diff --git ")
    return patch;
  throw new KernelError("KERNEL_SOURCE", `"${base}/${name}" is not in git's form`);
}

// The series' first release before others, since one patch does then.
async function cachedRelease(
  series: string,
  { sums }: PublishedSums,
  context: KernelContext,
): Promise<{ readonly version: string; readonly tree: string } | undefined> {
  const releases = [...sums].filter(([version]) => seriesOf(version) === series);
  for (const [version, sha256] of releases.sort(([a], [b]) => a.length - b.length)) {
    const tree = join(kernelCacheDir(context), "sources", tarballId(`linux-${version}`, sha256));
    if (await isTree(tree)) return { version, tree };
  }
  return undefined;
}

function seriesOf(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}
