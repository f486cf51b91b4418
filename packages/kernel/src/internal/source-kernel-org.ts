import { stat } from "node:fs/promises";
import { join } from "node:path";
import { kernelCacheDir } from "../context.ts";
import type { KernelContext } from "../context.ts";
import { KernelError } from "../errors.ts";
import type { ResolvedSource } from "../source.ts";
import { download } from "./download.ts";
import { publishedSums, resolveVersion } from "./kernel-org.ts";
import type { KernelOrg } from "./kernel-org.ts";
import { notice } from "./notice.ts";
import { unpackByPatches } from "./release-patches.ts";
import { gitSource } from "./source-git.ts";
import { tarballId } from "./source-tarball.ts";
import { unpackTarball } from "./unpack.ts";

const MAINLINE = "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git";

/** A kernel.org release: vN.x/linux-VERSION.tar.xz, its checksum in the signed sha256sums.asc beside it. */
export async function kernelOrgSource(
  source: KernelOrg & { readonly version: string },
  context: KernelContext & { readonly refresh?: boolean | undefined },
): Promise<ResolvedSource> {
  const version = await resolveVersion(source.version, source, context);
  if (version.includes("-rc")) {
    // kernel.org publishes no sums of release candidates: git's ids are what can be checked.
    notice(`${version} is a release candidate: it is taken from git`, context);
    return gitSource(MAINLINE, `v${version}`, context);
  }
  // A release never changes: a kept list that has it is good for ever.
  let published = await publishedSums(version, source, context, Infinity);
  if (!published.sums.has(version)) published = await publishedSums(version, source, context, 0);
  const { base, sums, signature } = published;
  const sha256 = sums.get(version);
  const file = `linux-${version}.tar.xz`;
  if (sha256 === undefined) {
    throw new KernelError("KERNEL_SOURCE", `"${base}/sha256sums.asc" has no checksum for "${file}"`, {
      hint: `Is there a release ${version}?${context.offline === true ? " The kept list may be too old for it" : ""}`,
    });
  }
  const cache = kernelCacheDir(context);
  const id = tarballId(`linux-${version}`, sha256);
  return {
    id,
    provenance: { kind: "kernel.org", origin: `${base}/${file}`, sha256, signature },
    tree: join(cache, "sources", id),
    unpack: async (directory, unpackContext) => {
      if (!signature.startsWith("good")) notice(`${file}: signature ${signature}`, unpackContext);
      const path = join(cache, "downloads", `linux-${version}-${sha256.slice(0, 16)}.tar.xz`);
      const here = (await stat(path).catch(() => undefined)) !== undefined;
      if (!here && (await unpackByPatches(version, published, directory, unpackContext))) return;
      await download(`${base}/${file}`, path, sha256, unpackContext);
      await unpackTarball(path, directory, unpackContext);
    },
  };
}
