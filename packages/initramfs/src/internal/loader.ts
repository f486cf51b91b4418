import type { ArchFacts } from "../arch.ts";
import { type CacheEntry, decodeLdSoCache } from "./ld-so-cache.ts";
import { readLdSoConf } from "./ld-so-conf.ts";
import { basename, imagePath } from "./paths.ts";
import { type FileView, readText, resolveFile } from "./view.ts";

/** How one dynamic loader finds libraries for which the program says nothing itself. */
export interface Loader {
  readonly kind: "glibc" | "musl";
  /** Paths at which the cache says that a library of this name is. */
  cached(name: string): readonly string[];
  /** Compiled into the loader, or from musl's path file. */
  readonly defaultDirectories: readonly string[];
  /** Directories that only ld.so.conf names; empty where a cache stands for them. */
  readonly configuredDirectories: readonly string[];
  /** What $LIB stands for. */
  readonly lib: string;
  /** The path file that must go along, musl only. */
  readonly pathFile?: string | undefined;
}

/** Describes the loader at a canonical path of the view. */
export function describeLoader(view: FileView, path: string, size: number, facts: ArchFacts): Loader {
  if (basename(path).startsWith("ld-musl-") || basename(path) === "libc.so") return muslLoader(view, path);
  const defaultDirectories = systemDirectories(view.read(path, 0, Math.min(size, 4 << 20)), facts);
  const cacheFile = resolveFile(view, "/etc/ld.so.cache");
  const cache =
    cacheFile === undefined
      ? undefined
      : decodeLdSoCache(view.read(cacheFile.path, 0, Math.min(cacheFile.size, 64 << 20)));
  const byName = new Map<string, string[]>();
  for (const entry of cache ?? []) {
    // Variants for newer processors (glibc-hwcaps) would tie the image to them.
    if (!usable(entry, facts)) continue;
    const paths = byName.get(entry.name);
    if (paths === undefined) byName.set(entry.name, [entry.path]);
    else paths.push(entry.path);
  }
  return {
    kind: "glibc",
    cached: (name) => byName.get(name) ?? [],
    defaultDirectories,
    configuredDirectories: cache === undefined ? readLdSoConf(view) : [],
    lib: defaultDirectories.includes(`/lib/${facts.multiarch}`) ? `lib/${facts.multiarch}` : facts.lib,
  };
}

function usable(entry: CacheEntry, facts: ArchFacts): boolean {
  return entry.flags === facts.cacheFlags && entry.hwcap === 0n && !entry.path.includes("/glibc-hwcaps/");
}

/**
 * glibc's system_dirs, chosen when the loader was built, are strings in its file: "/lib/x86_64-linux-gnu/",
 * "/lib64/" and so on. Reading them there is exact on every distribution; the order is known (dl-load.c).
 */
function systemDirectories(loader: Uint8Array, facts: ArchFacts): string[] {
  const candidates = [
    `/lib/${facts.multiarch}`,
    `/usr/lib/${facts.multiarch}`,
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
  ];
  const bytes = Buffer.from(loader.buffer, loader.byteOffset, loader.length);
  const found = candidates.filter((directory) => bytes.includes(`\0${directory}/\0`, 0, "latin1"));
  return found.length > 0 ? found : candidates;
}

/** musl has neither cache nor conf: a path file, or three directories (ldso/dynlink.c). */
function muslLoader(view: FileView, path: string): Loader {
  const arch = /^ld-musl-(.+)\.so\.1$/.exec(basename(path))?.[1];
  const pathFile = arch === undefined ? undefined : `/etc/ld-musl-${arch}.path`;
  const text = pathFile === undefined ? undefined : readText(view, pathFile);
  return {
    kind: "musl",
    cached: () => [],
    defaultDirectories:
      text === undefined
        ? ["/lib", "/usr/local/lib", "/usr/lib"]
        : text
            .split(/[:\n]/)
            .filter((directory) => directory.startsWith("/"))
            .map(imagePath),
    configuredDirectories: [],
    lib: "lib",
    pathFile: text === undefined ? undefined : pathFile,
  };
}
