import type { ElfSummary } from "@justenough/elf";

import type { ElfFiles } from "./elf-files.ts";
import type { Loader } from "./loader.ts";
import { dirname, imagePath, join } from "./paths.ts";
import { type FileView, type Resolved, resolveFile } from "./view.ts";

const DF_1_NODEFLIB = 0x800;

/** A file that the loader has mapped for a program. */
export interface LoadedObject {
  /** As it was opened; links in it are not followed. */
  readonly path: string;
  readonly resolved: Resolved;
  readonly elf: ElfSummary;
  /** Who asked for it first; `undefined` for the program. */
  readonly requester?: LoadedObject | undefined;
}

export type FoundBy = "path" | "rpath" | "runpath" | "cache" | "configured" | "default";

export interface SearchResult {
  readonly found?:
    | { readonly path: string; readonly resolved: Resolved; readonly elf: ElfSummary; readonly by: FoundBy }
    | undefined;
  /** The places that were tried in vain, with the reason if a file was there. */
  readonly looked: readonly string[];
}

export interface SearchContext {
  readonly view: FileView;
  readonly files: ElfFiles;
  readonly loader: Loader;
  /** Class, machine and platform directory that a library must have. */
  readonly program: LoadedObject;
  readonly platform: string;
}

/** Finds a library as _dl_map_object() of glibc's elf/dl-load.c does, without LD_LIBRARY_PATH. */
export function searchLibrary(context: SearchContext, name: string, requester: LoadedObject): SearchResult {
  const looked: string[] = [];
  for (const [by, path] of candidates(context, name, requester)) {
    const found = tryFile(context, path, looked);
    if (found !== undefined) {
      const isDefault = by === "cache" && context.loader.defaultDirectories.includes(dirname(path));
      return { found: { path, ...found, by: isDefault ? "default" : by }, looked };
    }
  }
  return { looked };
}

function* candidates(
  context: SearchContext,
  name: string,
  requester: LoadedObject,
): Generator<[by: FoundBy, path: string]> {
  const { loader } = context;
  if (name.includes("/")) {
    const path = expand(context, name, requester);
    if (path.startsWith("/")) yield ["path", imagePath(path)];
    return;
  }
  const inside = function* (by: FoundBy, directories: Iterable<string>): Generator<[FoundBy, string]> {
    for (const directory of directories) yield [by, join(directory, name)];
  };
  if (loader.kind === "musl") {
    // musl makes no difference between the two and inherits both (ldso/dynlink.c, load_library()).
    for (const object of chain(requester)) {
      const text = object.elf.dynamic?.runpath ?? object.elf.dynamic?.rpath;
      yield* inside("runpath", directoriesOf(context, text, object));
    }
    yield* inside("default", loader.defaultDirectories);
    return;
  }
  if (requester.elf.dynamic?.runpath === undefined) {
    // An object's own RUNPATH switches its RPATH off; RPATHs are inherited from whoever loaded it.
    const objects = [...chain(requester)];
    if (!objects.includes(context.program)) objects.push(context.program);
    for (const object of objects) {
      if (object.elf.dynamic?.runpath !== undefined) continue;
      yield* inside("rpath", directoriesOf(context, object.elf.dynamic?.rpath, object));
    }
  } else {
    yield* inside("runpath", directoriesOf(context, requester.elf.dynamic.runpath, requester));
  }
  const noDefaults = ((requester.elf.dynamic?.flags1 ?? 0) & DF_1_NODEFLIB) !== 0;
  for (const path of loader.cached(name)) {
    if (noDefaults && loader.defaultDirectories.includes(dirname(path))) continue;
    yield ["cache", path];
  }
  yield* inside("configured", loader.configuredDirectories);
  if (!noDefaults) yield* inside("default", loader.defaultDirectories);
}

function* chain(object: LoadedObject): Generator<LoadedObject> {
  for (let at: LoadedObject | undefined = object; at !== undefined; at = at.requester) yield at;
}

/** The directories of a RPATH or RUNPATH. An empty or relative one depends on where the program is started. */
function directoriesOf(context: SearchContext, text: string | undefined, object: LoadedObject): string[] {
  if (text === undefined) return [];
  return text
    .split(":")
    .map((part) => expand(context, part, object))
    .filter((directory) => directory.startsWith("/"))
    .map(imagePath);
}

/** Dynamic string tokens, see ld.so(8). */
function expand(context: SearchContext, text: string, object: LoadedObject): string {
  // The kernel tells the program's own true path; a library is where it was opened.
  const origin = dirname(object.requester === undefined ? object.resolved.path : object.path);
  const values: Record<string, string> = {
    ORIGIN: origin,
    LIB: context.loader.lib,
    PLATFORM: context.platform,
  };
  return text.replace(
    /\$(?:\{(ORIGIN|LIB|PLATFORM)\}|(ORIGIN|LIB|PLATFORM))/g,
    (_, braced: string | undefined, plain: string | undefined) =>
      values[(braced ?? plain) as string] as string,
  );
}

function tryFile(
  context: SearchContext,
  path: string,
  looked: string[],
): { resolved: Resolved; elf: ElfSummary } | undefined {
  const resolved = resolveFile(context.view, path);
  if (resolved === undefined) {
    looked.push(path);
    return undefined;
  }
  const elf = context.files.read(resolved.path, resolved.size);
  const wanted = context.program.elf;
  if (elf === undefined) {
    looked.push(`${path} (not an ELF file)`);
  } else if (elf.class !== wanted.class || elf.machineCode !== wanted.machineCode) {
    looked.push(`${path} (for ${elf.machine}, ${elf.class} bits)`);
  } else {
    return { resolved, elf };
  }
  return undefined;
}
