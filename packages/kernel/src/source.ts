import { stat } from "node:fs/promises";
import { join } from "node:path";
import { kernelCacheDir } from "./context.ts";
import type { KernelContext } from "./context.ts";
import { KernelError } from "./errors.ts";
import { aptPackage } from "./internal/apt.ts";
import { debianSource } from "./internal/source-debian.ts";
import { directorySource } from "./internal/source-directory.ts";
import { kernelOrgSource, tarballSource } from "./internal/source-tarball.ts";
import { withLock } from "./internal/lock.ts";
import { makeDirectoryAtomic, writeJson } from "./internal/store.ts";

/** Where a kernel's source comes from. */
export type KernelSource =
  /** Debian's package linux-source-SERIES, downloaded by apt and unpacked without being installed. */
  | { readonly kind: "debian"; readonly series: string }
  /** A release of kernel.org or a mirror of it, checked against the published sha256. */
  | { readonly kind: "kernel.org"; readonly version: string; readonly mirror?: string | undefined }
  | { readonly kind: "tarball"; readonly path: string; readonly sha256?: string | undefined }
  /** A tree that is already unpacked; it is only read. */
  | { readonly kind: "directory"; readonly path: string };

/** Where a tree came from, for the record. */
export interface SourceProvenance {
  readonly kind: KernelSource["kind"];
  /** The package and its version, the URL, or the path. */
  readonly origin: string;
  readonly sha256?: string | undefined;
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
 * Finds out what a source is, as cheaply as can be: a Debian series keeps the version that was found first (see
 * `refresh`), a kernel.org version its published checksum.
 *
 * @throws KernelError KERNEL_SOURCE, KERNEL_DOWNLOAD.
 */
export async function resolveSource(
  source: KernelSource,
  context: KernelContext & { readonly refresh?: boolean | undefined } = {},
): Promise<ResolvedSource> {
  switch (source.kind) {
    case "debian":
      return debianSource(source.series, pointerPath(source.series, context), context);
    case "kernel.org":
      return kernelOrgSource(source.version, source.mirror, context);
    case "tarball":
      return tarballSource(source.path, source.sha256, context);
    case "directory":
      return directorySource(source.path, context);
    default:
      throw new KernelError("KERNEL_SOURCE", `Unknown kind of source: ${JSON.stringify(source)}`);
  }
}

/** Makes sure that the tree of a source is there and returns its directory. */
export async function fetchSource(source: ResolvedSource, context: KernelContext = {}): Promise<string> {
  const { tree, unpack } = source;
  if (unpack === undefined || (await isTree(tree))) return tree;
  const lock = `${tree}.lock`;
  const onWait = (pid: number): void =>
    context.onProgress?.({
      phase: "wait",
      done: 0,
      unit: "steps",
      message: `Process ${pid} is fetching the same source`,
    });
  return withLock(lock, { signal: context.signal, onWait }, async () => {
    if (await isTree(tree)) return tree;
    await makeDirectoryAtomic(tree, async (directory) => {
      await unpack(directory, context);
      if (!(await isTree(directory))) {
        throw new KernelError("KERNEL_SOURCE", `"${source.provenance.origin}" holds no kernel source tree`);
      }
    });
    await writeJson(`${tree}.json`, { id: source.id, ...source.provenance });
    return tree;
  });
}

async function isTree(directory: string): Promise<boolean> {
  const kconfig = await stat(join(directory, "Kconfig")).catch(() => undefined);
  const kbuild = await stat(join(directory, "scripts/Kbuild.include")).catch(() => undefined);
  return kconfig?.isFile() === true && kbuild?.isFile() === true;
}
