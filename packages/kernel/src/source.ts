import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { kernelCacheDir } from "./context.ts";
import type { KernelContext } from "./context.ts";
import { KernelError } from "./errors.ts";
import { aptPackage } from "./internal/apt.ts";
import { debianSource } from "./internal/source-debian.ts";
import { directorySource } from "./internal/source-directory.ts";
import { waitsFor } from "./internal/notice.ts";
import { gitSource } from "./internal/source-git.ts";
import { kernelOrgSource } from "./internal/source-kernel-org.ts";
import { patchedSource } from "./internal/source-patched.ts";
import { remoteTarballSource, tarballSource } from "./internal/source-tarball.ts";
import { withLock } from "./internal/lock.ts";
import { makeDirectoryAtomic, removeStale, writeJson } from "./internal/store.ts";
import { isTree } from "./internal/tree.ts";

/** Where a kernel's source comes from, and the patches on top of it. */
export type KernelSource = (
  | DebianSource
  | KernelOrgSource
  | TarballSource
  | RemoteTarballSource
  | GitSource
  | DirectorySource
) & {
  /**
   * Applied in order to a copy of the tree: files (plain or compressed), mailboxes, directories with quilt's `series`
   * or with `*.patch` files.
   */
  readonly patches?: readonly string[] | undefined;
};

/** Debian's or Ubuntu's package linux-source-SERIES, downloaded by apt and unpacked without being installed. */
export interface DebianSource {
  readonly kind: "debian";
  /** As in the package's name: `6.12`, or `6.8.0` with Ubuntu. */
  readonly series: string;
}

/** A release of kernel.org or a mirror of it, checked against the published sha256. */
export interface KernelOrgSource {
  readonly kind: "kernel.org";
  /**
   * `6.12.57`, `6.12` (that very release), `6.12.y` (the newest of the series), `stable`, `latest-lts` or `mainline`.
   * A release candidate comes from git, since kernel.org publishes no sums of those.
   */
  readonly version: string;
  /** A URL up to `/linux/kernel`, with `v6.x/` beneath. Default: cdn.kernel.org's. */
  readonly mirror?: string | undefined;
  /**
   * A file with the keys that the sums must be signed by, as gpgv reads it. Default: gpgv's own keyring, where there is
   * one; without, the sums are used unsigned and the provenance says so.
   */
  readonly keyring?: string | undefined;
}

/** A tarball of this machine: xz, gz, zst, bz2 or plain, the tree at its top or in one directory. */
export interface TarballSource {
  readonly kind: "tarball";
  readonly path: string;
  readonly sha256?: string | undefined;
}

/** A tarball of the network, known by its sum. */
export interface RemoteTarballSource {
  readonly kind: "tarball";
  readonly url: string;
  readonly sha256: string;
}

/** A commit of a git repository. */
export interface GitSource {
  readonly kind: "git";
  /** A URL, or the path of a clone, which is only read. */
  readonly url: string;
  /** A branch, a tag or a whole commit id; of a clone whatever git understands. Default: HEAD. */
  readonly ref?: string | undefined;
}

/** A tree that is already unpacked; it is only read. */
export interface DirectorySource {
  readonly kind: "directory";
  readonly path: string;
}

/** Where a tree came from, for the record. */
export interface SourceProvenance {
  readonly kind: KernelSource["kind"];
  /** The package and its version, the URL, or the path. */
  readonly origin: string;
  readonly sha256?: string | undefined;
  /** Of git. */
  readonly commit?: string | undefined;
  /** Of kernel.org's sums: `good, by the key …`, or `not checked: ` and why. */
  readonly signature?: string | undefined;
  /** The names of the patches on top, in order. */
  readonly patches?: readonly string[] | undefined;
}

/** A source that is known by content; its tree need not be there yet. */
export interface ResolvedSource {
  /** Names the content: two sources of one id have the same files. */
  readonly id: string;
  readonly provenance: SourceProvenance;
  /** Where the tree is or will be. */
  readonly tree: string;
  /** How the tree is made; undefined when it is there anyway. */
  readonly unpack: ((directory: string, context: KernelContext) => Promise<void>) | undefined;
}

/** The kernel.org release that {@link defaultSource} falls back to. */
export const DEFAULT_SERIES = "6.12";
const DEFAULT_VERSION = "6.12.57";

/**
 * The source to build from when nobody names one: Debian's 6.12 where apt offers it, else kernel.org's.
 *
 * @throws KernelError KERNEL_TOOL_FAILED when apt's index cannot be read.
 */
export async function defaultSource(context: KernelContext = {}): Promise<KernelSource> {
  const debian = { kind: "debian", series: DEFAULT_SERIES } as const;
  const known = await stat(pointerPath(debian.series, context)).catch(() => undefined);
  if (known !== undefined) return debian;
  return (await aptPackage(`linux-source-${DEFAULT_SERIES}`, context)) === undefined
    ? { kind: "kernel.org", version: DEFAULT_VERSION }
    : debian;
}

/** The note in which a Debian series' version is kept, so that no later call has to ask apt. */
export function pointerPath(series: string, context: KernelContext): string {
  return join(kernelCacheDir(context), "sources", `debian-${series}.json`);
}

/**
 * Finds out what a source is, as cheaply as can be. A Debian series keeps the version that was found first and a word
 * of kernel.org what it meant at most twelve hours ago (see `refresh`); a branch of a remote repository is asked for
 * each time. With `offline`, and where the network does not answer, what was known last is used.
 *
 * @throws KernelError KERNEL_SOURCE for what does not exist, KERNEL_DOWNLOAD for what cannot be reached, KERNEL_CHECKSUM
 * for a bad sum or signature, KERNEL_TOOL_MISSING.
 * @example
 * ```ts no-run
 * import { fetchSource, resolveSource } from "@justenough/kernel";
 *
 * const source = await resolveSource({ kind: "kernel.org", version: "6.12.y", patches: ["fix.patch"] });
 * console.log(source.id, source.provenance.signature);
 * console.log(await fetchSource(source, { onProgress: ({ done, total }) => console.error(done, total) }));
 * ```
 */
export async function resolveSource(
  source: KernelSource,
  context: KernelContext & { readonly refresh?: boolean | undefined } = {},
): Promise<ResolvedSource> {
  const base = await resolveBase(source, context);
  const { patches = [] } = source;
  if (patches.length === 0) return base;
  return patchedSource(base, patches, (fetchContext) => fetchSource(base, fetchContext), context);
}

async function resolveBase(
  source: KernelSource,
  context: KernelContext & { readonly refresh?: boolean | undefined },
): Promise<ResolvedSource> {
  switch (source.kind) {
    case "debian":
      return debianSource(source.series, pointerPath(source.series, context), context);
    case "kernel.org":
      return kernelOrgSource(source, context);
    case "tarball":
      return "url" in source
        ? remoteTarballSource(source.url, source.sha256, context)
        : tarballSource(source.path, source.sha256, context);
    case "git":
      return gitSource(source.url, source.ref ?? "HEAD", context);
    case "directory":
      return directorySource(source.path, context);
    default:
      throw new KernelError("KERNEL_SOURCE", `Unknown kind of source: ${JSON.stringify(source)}`);
  }
}

/**
 * Makes sure that the tree of a source is there and returns its directory. A tree appears in one step: whatever ends
 * this call early, what is in the cache is whole.
 *
 * @throws KernelError KERNEL_DOWNLOAD, KERNEL_CHECKSUM, KERNEL_SOURCE for what holds no tree and patches that do not
 * apply, KERNEL_TOOL_FAILED for a damaged archive, KERNEL_ABORTED.
 * @example
 * ```ts no-run
 * import { fetchSource, resolveSource } from "@justenough/kernel";
 *
 * const source = await resolveSource({ kind: "git", url: "../linux", ref: "v6.12" });
 * console.log(await fetchSource(source));
 * ```
 */
export async function fetchSource(source: ResolvedSource, context: KernelContext = {}): Promise<string> {
  const { tree, unpack } = source;
  if (unpack === undefined) return tree;
  const lock = `${tree}.lock`;
  // A lock beside a whole tree: whoever held it was killed before it had tidied up, or is about to.
  if ((await isTree(tree)) && !existsSync(lock)) return tree;
  const onWait = waitsFor("the same source", context);
  return withLock(lock, { signal: context.signal, onWait }, async () => {
    // Before for the room that it takes, and after because a program of a process that was killed may still be writing.
    await removeStale(tree);
    if (!(await isTree(tree))) {
      await makeDirectoryAtomic(tree, async (directory) => {
        await unpack(directory, context);
        if (!(await isTree(directory))) {
          throw new KernelError("KERNEL_SOURCE", `"${source.provenance.origin}" holds no kernel source tree`);
        }
      });
      await removeStale(tree);
    }
    await writeJson(`${tree}.json`, { id: source.id, ...source.provenance });
    return tree;
  });
}
