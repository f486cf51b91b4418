import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";

import { execa } from "execa";

import { InitramfsError } from "./error.ts";
import { type ModuleIndex, moduleName, MODULE_SUFFIX, readModuleIndex } from "./internal/module-index.ts";
import { nearest } from "./internal/suggest.ts";

export interface ModuleRequest {
  /** The directory that holds modules.dep: `…/lib/modules/RELEASE`. */
  readonly directory: string;
  /** Names as for modprobe(8): `virtio_net`, `virtio-net`; a path or a file name works too. */
  readonly names: readonly string[];
}

export interface KernelModule {
  readonly name: string;
  /** The file in the module directory, such as `kernel/drivers/net/virtio_net.ko.xz`. */
  readonly source: string;
  /** Where it goes below /lib/modules/RELEASE: without the compression's suffix. */
  readonly target: string;
  readonly why: string;
  readonly bytes: Uint8Array;
}

export interface ModuleClosure {
  /** The directory's own name, by which the kernel's release is known. */
  readonly release: string;
  /** In load order: what a module depends on comes before it. */
  readonly modules: readonly KernelModule[];
  /** Names that are built into the kernel, so that nothing needs to be loaded. */
  readonly builtin: readonly string[];
}

/**
 * Finds modules and all that they depend on, by modules.dep and modules.softdep, and unpacks them, because /init
 * loads plain files.
 *
 * @throws {InitramfsError} for a name that the kernel does not have
 */
export async function readModules(request: ModuleRequest, signal?: AbortSignal): Promise<ModuleClosure> {
  const index = await readModuleIndex(request.directory);
  const builtin: string[] = [];
  const order = new Map<string, string>();
  // Sorted, so that the same modules give the same image in whatever order they were named.
  for (const wanted of [...new Set(request.names.map(moduleName))].sort()) {
    if (index.builtin.has(wanted)) {
      builtin.push(wanted);
      continue;
    }
    const names = index.modules.has(wanted) ? [wanted] : (index.aliases.get(wanted) ?? []);
    if (names.length === 0) throw unknownModule(request.directory, wanted, index);
    for (const name of names) addModule(index, order, name, `kernel module "${wanted}"`, new Set());
  }
  const modules: KernelModule[] = [];
  for (const [source, why] of order) {
    const bytes = await unpackModule(join(request.directory, source), signal);
    modules.push({
      name: moduleName(source),
      source,
      target: source.replace(MODULE_SUFFIX, ".ko"),
      why,
      bytes,
    });
  }
  return { release: basename(request.directory.replace(/\/+$/, "")), modules, builtin };
}

/** Adds a module behind what it needs, in the order of modprobe (libkmod's kmod_module_get_probe_list()). */
function addModule(
  index: ModuleIndex,
  order: Map<string, string>,
  name: string,
  why: string,
  visited: Set<string>,
): void {
  const entry = index.modules.get(name);
  if (entry === undefined || visited.has(name)) return;
  visited.add(name);
  // The line of modules.dep has all dependencies, also indirect ones, the last to be loaded first.
  const dependencies = [...entry.dependencies].reverse();
  for (const path of [...dependencies, entry.path]) {
    const own = moduleName(path);
    const soft = index.soft.get(own);
    // Recommended neighbours, often algorithms that are asked for by name at run time; absent ones are fine.
    for (const before of soft?.pre ?? []) addModule(index, order, before, `recommended by ${own}`, visited);
    if (!order.has(path)) order.set(path, path === entry.path ? why : `needed by ${name}`);
    for (const after of soft?.post ?? []) addModule(index, order, after, `recommended by ${own}`, visited);
  }
}

function unknownModule(directory: string, name: string, index: ModuleIndex): InitramfsError {
  const guess = nearest(name, [...index.modules.keys(), ...index.builtin]);
  return new InitramfsError(
    "INITRAMFS_MODULE_NOT_FOUND",
    `The kernel in "${directory}" has no module "${name}", neither as a file nor built in`,
    { hint: guess === undefined ? "See its modules.dep for what it has" : `Did you mean "${guess}"?` },
  );
}

async function unpackModule(path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const packed = await readFile(path).catch((error: unknown) => {
    throw new InitramfsError("INITRAMFS_READ", `Cannot read the kernel module "${path}"`, { cause: error });
  });
  try {
    switch (MODULE_SUFFIX.exec(path)?.[1]) {
      case "gz":
        return gunzipSync(packed);
      case "zst":
        return zstdDecompressSync(packed);
      case "xz": {
        // Node has no xz; the tool is everywhere where modules are packed with it.
        const options = { encoding: "buffer", input: packed, stripFinalNewline: false } as const;
        const cancel = signal === undefined ? {} : { cancelSignal: signal };
        return (await execa("xz", ["-dc"], { ...options, ...cancel })).stdout;
      }
      default:
        return packed;
    }
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new InitramfsError(
      missing ? "INITRAMFS_TOOL" : "INITRAMFS_FORMAT",
      missing
        ? `Unpacking "${path}" needs the tool xz, which this machine does not have`
        : `Cannot unpack the kernel module "${path}"`,
      { cause: error, ...(missing ? { hint: "Install it: apt-get install xz-utils" } : {}) },
    );
  }
}
